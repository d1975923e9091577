# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files: what they take and refuse, and what ROS 2's own launch makes of them."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("ament_index_python", reason="ROS 2 is not installed: `make build` does it")

from evla_ros.errors import EvlaError
from evla_ros.ros.launching import Argument, enclave_arguments, given_parameters, read_switch

STANDARD = {"namespace", "use_sim_time", "log_level"}
EXPECTED = {
    "policy": STANDARD
    | {"params_file", "embodiment", "checkpoint", "device", "autostart", "use_respawn", "shadow"},
    "record": STANDARD | {"params_file", "embodiment", "output", "operator", "autostart"},
    "teleop": STANDARD | {"params_file", "embodiment", "joystick", "use_respawn"},
    "console": STANDARD | {"params_file", "embodiment", "host", "port", "recordings"},
    "sim": STANDARD | {"params_file", "world", "seed", "use_respawn"},
    "bringup": STANDARD
    | {"params_file", "embodiment", "checkpoint", "device", "autostart", "use_respawn"}
    | {"sim", "recorder", "sim_params_file", "recorder_params_file", "world"},
}


def _load(root: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, root / "launch" / f"{name}.launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_standard_arguments_are_declared(root: Path, name: str) -> None:
    declared = {argument.name for argument in _load(root, name).ARGUMENTS}
    assert EXPECTED[name] <= declared


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_nothing_overrides_the_parameter_file_unless_it_is_given(root: Path, name: str) -> None:
    arguments = _load(root, name).ARGUMENTS
    assert given_parameters(arguments, {one.name: one.default for one in arguments}) == {}


@pytest.mark.parametrize("text", ["true", "True", "1", "yes", "on"])
def test_booleans_as_people_write_them(text: str) -> None:
    assert read_switch("shadow", text) is True


@pytest.mark.parametrize(
    ("argument", "text", "message"),
    [
        (
            Argument("shadow", "", "switch", "shadow"),
            "tru",
            "shadow:=tru is neither true nor false",
        ),
        (Argument("shadow", "", "switch", "shadow"), "2", "shadow:=2 is neither true nor false"),
        (Argument("seed", "", "number", "seed"), "one", "seed:=one is not a whole number"),
    ],
)
def test_what_is_no_value_is_refused_by_name(argument: Argument, text: str, message: str) -> None:
    with pytest.raises(EvlaError, match=re.escape(message)):
        argument.value(text)


def test_given_values_have_their_types() -> None:
    rows = (
        Argument("shadow", "", "switch", "shadow"),
        Argument("seed", "", "number", "seed"),
        Argument("task", "", parameter="task"),
        Argument("log_level", ""),
    )
    texts = {"shadow": "no", "seed": "7", "task": "7", "log_level": "info"}
    assert given_parameters(rows, texts) == {"shadow": False, "seed": 7, "task": "7"}


@pytest.mark.parametrize(
    ("world", "embodiment", "expected"),
    [
        ("humanoid_upper_body", "", {"embodiment": "humanoid_upper_body"}),
        ("", "humanoid_upper_body", {"world": "humanoid_upper_body"}),
        ("", "", {}),
        ("tabletop_arm", "tabletop_arm", {}),
        ("tabletop_arm", "my_robot.yaml", {}),
    ],
)
def test_simulator_and_nodes_get_the_same_robot(root, world, embodiment, expected) -> None:
    one_robot = _load(root, "bringup")._one_robot
    assert one_robot({"world": world, "embodiment": embodiment}) == expected


def test_two_robots_in_one_bringup_are_refused(root: Path) -> None:
    texts = {"world": "tabletop_arm", "embodiment": "humanoid_upper_body"}
    with pytest.raises(EvlaError, match="is not the robot of embodiment:=humanoid_upper_body"):
        _load(root, "bringup")._one_robot(texts)


def test_every_argument_of_a_part_can_be_reached_from_bringup(root: Path) -> None:
    bringup = _load(root, "bringup")
    own = {argument.name for argument in bringup.ARGUMENTS}
    for file, (switch, renamed) in bringup.PARTS.items():
        known = {argument.name for argument in _load(root, file).ARGUMENTS}
        assert switch in own
        assert set(renamed) | set(bringup.COMMON) <= known
        assert set(renamed.values()) | set(bringup.COMMON) <= own


@pytest.mark.parametrize(
    ("namespace", "enclave"),
    [
        ("", "/policy"),
        ("/", "/policy"),
        ("left", "/left/policy"),
        ("/hall/left/", "/hall/left/policy"),
    ],
)
def test_a_node_gets_the_keys_of_its_name_where_sros2_is_on(namespace, enclave) -> None:
    on = {"ROS_SECURITY_ENABLE": "true"}
    assert enclave_arguments("policy", namespace, on) == ["--enclave", enclave]
    assert enclave_arguments("policy", namespace, {}) == []


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_ros2_launch_shows_the_arguments(root: Path, name: str) -> None:
    _need_launch()
    command = ["ros2", "launch", str(root / "launch" / f"{name}.launch.py"), "--show-args"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"^    '(\w+)':", done.stdout, re.MULTILINE)) >= EXPECTED[name]


@pytest.mark.parametrize(
    ("file", "words", "message"),
    [
        ("policy", ["shadow:=maybe"], "shadow:=maybe is neither true nor false"),
        ("sim", ["seed:=x"], "seed:=x is not a whole number"),
        ("record", ["params_file:=/no/where.yaml"], "params_file:=/no/where.yaml: there is no"),
        ("bringup", ["sim:=false", "world:=tabletop_arm"], "is of the simulator"),
        ("policy", ["embodiment:=no_such_robot"], "the node policy refused its settings"),
        ("record", ["embodiment:=no_such_robot"], "the node recorder refused its settings"),
        (
            "bringup",
            ["embodiment:=no_such_robot", "recorder:=true"],
            "refused its settings",
        ),
    ],
)
@pytest.mark.usefixtures("ros_domain")
def test_a_launch_that_cannot_work_ends_with_a_sentence(root, file, words, message) -> None:
    _need_launch()
    command = ["ros2", "launch", str(root / "launch" / f"{file}.launch.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert message in done.stdout + done.stderr


def _need_launch() -> None:
    pytest.importorskip("launch_ros", reason="ROS 2's launch is not on PyPI; source a distro")
    if shutil.which("ros2") is None:
        pytest.skip("the command ros2 is not installed; source a distro")
