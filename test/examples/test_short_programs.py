# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every example does what its first line says, and is short."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evla_ros.embodiment import action_columns, load_embodiment, proprio_layout
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.policy.types import Observation

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))
ROBOT = load_embodiment("tabletop_arm")


def run(name, *words):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, words)], capture_output=True, text=True
    )


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_an_example_is_short_and_in_the_list(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80
    assert f"]({path.name})" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    ["read_dataset.py", "convert_foreign_bag.py", "custom_robot.py", "server_client.py"],
)
def test_without_its_arguments_a_program_asks_for_them(name):
    if name == "server_client.py":
        pytest.importorskip("openpi_client", reason="openpi-client is not installed")
    done = run(name)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("name ")


def test_a_foreign_bag_becomes_a_dataset_that_is_read(tmp_path):
    pytest.importorskip("rosbags", reason="the extra 'data' is not installed")
    from foreign_robot import Foreign, write_bag

    bag = write_bag(tmp_path / "their_bag", Foreign())
    done = run("convert_foreign_bag.py", bag, tmp_path / "datasets", "put the cup on the plate")
    assert done.returncode == 0, done.stderr
    assert "a person has to judge" in done.stdout
    assert "1 episodes in" in done.stdout
    read = run("read_dataset.py", tmp_path / "datasets" / "their_robot")
    assert read.returncode == 0, read.stderr
    assert "put the cup on the plate" in read.stdout
    assert "image_primary: 224 x 224" in read.stdout
    assert "arm_dx [m]: 0." in read.stdout


def test_a_bag_that_is_none_is_one_sentence(tmp_path):
    done = run("convert_foreign_bag.py", tmp_path, tmp_path / "datasets", "nothing")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_the_custom_robot_is_shown_with_its_topics_and_numbers(tmp_path):
    done = run("custom_robot.py", EXAMPLES / "custom_robot.yaml")
    assert done.returncode == 0, done.stderr
    assert "/cartesian_motion_controller/target_frame" in done.stdout
    assert "action: 7 numbers" in done.stdout
    text = (EXAMPLES / "custom_robot.yaml").read_text().replace("max_step_m", "max_step")
    (tmp_path / "wrong.yaml").write_text(text)
    wrong = run("custom_robot.py", tmp_path / "wrong.yaml")
    assert wrong.returncode == 1
    assert "max_step" in wrong.stderr
    assert "Traceback" not in wrong.stderr


@pytest.fixture
def go_there(monkeypatch):
    """Return the example's policy, as the node builds it."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield build_policy(PolicySpec("scripted", ROBOT.text, checkpoint="write_a_policy:GoThere"))
    sys.modules.pop("write_a_policy", None)


def test_the_policy_arrives_and_closes_its_gripper(go_there):
    arm, place = action_columns(ROBOT).arms[0], proprio_layout(ROBOT).slice_of("arm_ee_position")
    proprio = np.zeros(proprio_layout(ROBOT).size, np.float32)
    proprio[place] = (0.3, -0.2, 0.1)
    for _ in range(4):
        chunk = go_there.infer(Observation(5, {}, proprio, "go"))
        assert chunk.actions.shape == (go_there.chunk_length, go_there.action_dim)
        steps = np.linalg.norm(chunk.actions[:, arm.start : arm.start + 3], axis=1)
        assert steps.max() <= 0.02 + 1e-6
        proprio[place] += chunk.actions[:, arm.start : arm.start + 3].sum(axis=0)
    assert np.allclose(proprio[place], (0.5, 0.0, 0.3), atol=0.01)
    assert chunk.actions[-1, arm.stop - 1] == 0.0
    go_there.reset()
    proprio[place] = (0.3, -0.2, 0.1)
    assert go_there.infer(Observation(5, {}, proprio, "go")).actions[0, arm.stop - 1] == 1.0


def test_a_client_of_openpi_gets_actions_from_the_server():
    for library in ("openpi_client", "websockets", "msgpack", "h11"):
        pytest.importorskip(library, reason=f"{library} is not installed")
    from policy_server import PolicyServer

    with PolicyServer("circle", "--embodiment", "tabletop_arm") as server:
        done = run("server_client.py", "127.0.0.1", server.port, "draw a circle")
    assert done.returncode == 0, done.stderr
    assert "8 actions an answer, 7 numbers an action" in done.stdout
    assert done.stdout.count("arm_gripper") == 2
