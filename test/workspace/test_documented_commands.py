# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the pages say to type exists: launch files and arguments, nodes and parameters, services.

The options of `evla` are held to its parser in test/cli/test_options.py. Nothing is run here.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from evla_ros.training.config import TrainConfig
from evla_ros.training.pretrain_config import PretrainConfig

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.console.parameters import TABLE as CONSOLE
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import streams_of
from evla_ros.ros.policy.parameters import TABLE as POLICY
from evla_ros.ros.recorder.parameters import TABLE as RECORDER
from evla_ros.ros.security import access
from evla_ros.ros.simulator.parameters import TABLE as SIM
from evla_ros.ros.teleop.parameters import TABLE as TELEOP

ROOT = Path(__file__).resolve().parents[2]
TABLES = {"policy": POLICY, "recorder": RECORDER, "teleop": TELEOP, "sim": SIM, "console": CONSOLE}
LIFECYCLE = {"configure", "activate", "deactivate", "cleanup", "shutdown", "state"}
PAGES = [
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if page.parent.name != "lab" and page.name != "CHANGELOG.md"
]
# Of a page that explains what an overview page only names.
PLACEHOLDERS = {"NODE", "SERVICE", "NAME", "COMMAND"}


def lines(*beginning):
    """Yield the words of every line of the pages that begins so, without its comment."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            typed = line.strip().removeprefix("$ ").partition(" #")[0]
            if typed.startswith(" ".join(beginning) + " ") and "`" not in typed:
                words = shlex.split(typed)
                if not PLACEHOLDERS & set(words):
                    yield page.name, words


@cache
def launch_arguments(file):
    path = ROOT / "launch" / file
    assert path.is_file(), f"there is no launch/{file}"
    spec = importlib.util.spec_from_file_location(path.name.partition(".")[0], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {one.name for one in module.ARGUMENTS}


def known(node, name):
    return name.startswith("limits.") or name in {row.name for row in TABLES[node]}


def test_launch_files_take_the_arguments_of_the_pages():
    found = list(lines("ros2", "launch", "evla_ros"))
    assert len(found) > 8
    for page, (_, _, _, file, *given) in found:
        names = {word.partition(":=")[0] for word in given if ":=" in word}
        assert names <= launch_arguments(file), f"{page}: {file} {names - launch_arguments(file)}"


def test_nodes_take_the_parameters_of_the_pages():
    found = [
        (page, words[3], re.findall(r"(?<=-p )([\w.]+)(?=:=)", " ".join(words)))
        for page, words in lines("ros2", "run", "evla_ros")
    ]
    for page, words in lines("evla", "run"):
        given = words[words.index("--set") + 1 :] if "--set" in words else []
        end = next((at for at, word in enumerate(given) if word.startswith("--")), len(given))
        found.append((page, words[2], [word.partition("=")[0] for word in given[:end]]))
    assert len(found) > 20
    for page, node, names in found:
        assert (ROOT / "bin" / node).is_file(), f"{page}: no node {node}"
        assert not [name for name in names if not known(node, name)], f"{page}: {node} {names}"


def test_nodes_have_the_services_of_the_pages():
    robot = streams_of(load_embodiment("tabletop_arm"))
    defaults = {node: {row.name: row.default for row in table} for node, table in TABLES.items()}
    served = {
        "policy": access.policy_access(robot, defaults["policy"], servo=False).serves,
        "recorder": access.recorder_access(robot, defaults["recorder"]).serves,
        "teleop": access.teleop_access(robot, defaults["teleop"]).serves,
        "sim": access.sim_access(robot, defaults["sim"]).serves,
    }
    called = [(page, words[2], words[3]) for page, words in lines("evla", "call") if words[3:]]
    for page, words in lines("ros2", "service", "call"):
        node, service = words[3].split("/")[-2:]
        called.append((page, node, service))
    assert len(called) > 20
    for page, node, service in called:
        there = f"~/{service}" in served[node] or service in LIFECYCLE
        assert there, f"{page}: {node} has no service {service}"


@pytest.mark.parametrize(
    ("kind", "model"), [("finetune", TrainConfig), ("pretrain", PretrainConfig)]
)
def test_trainings_have_the_settings_of_the_pages(kind, model):
    found = list(lines("evla", "train", kind))
    assert found
    for page, words in found:
        for word in words[3:]:
            key = re.match(r"([a-z_]+(?:\.[a-z_0-9]+)*)=", word)
            assert not key or has(model, key[1].split(".")), f"{page}: no setting {word}"


def has(model, path):
    field = model.model_fields.get(path[0])
    inner = getattr(field, "annotation", None)
    deeper = [word for word in path[1:] if not word.isdigit()]
    if field is None or not deeper:
        return field is not None
    inner = inner if hasattr(inner, "model_fields") else inner.__args__[0]
    return has(inner, deeper)


def test_make_has_the_targets_of_the_pages():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page, words in (*lines("make"), *lines("EVLA_CUDA=1", "make")):
        named = {word for word in words if re.fullmatch(r"[a-z-]+", word)} - {"make"}
        if "&&" in words:
            named = {words[1]}
        assert named <= targets, f"{page}: make {named - targets}"
