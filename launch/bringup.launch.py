# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Robot or simulator, policy, recorder, console: ros2 launch evla_ros bringup.launch.py sim:=true.

With sim:=false the robot's own drivers publish what the embodiment file names; start them first.
An argument that is not given keeps the value of the node's parameter file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from evla_ros.errors import EvlaError
from evla_ros.ros.launching import (
    AUTOSTART,
    EMBODIMENT,
    LOG_LEVEL,
    NAMESPACE,
    USE_RESPAWN,
    Argument,
    describe,
    include,
    read_switch,
)

if TYPE_CHECKING:
    from launch import Action, LaunchDescription


# What each included file is given: its argument's name, and ours where it differs.
PARTS: dict[str, tuple[str, dict[str, str]]] = {
    "sim": ("sim", {"params_file": "sim_params_file", "task": "task", "world": "world"}),
    "policy": (
        "run_policy",
        {"params_file": "params_file", "policy": "policy", "checkpoint": "checkpoint"}
        | {"device": "device", "shadow": "shadow", "autostart": "autostart"},
    ),
    "teleop": ("console", {"params_file": "teleop_params_file", "joystick": "joystick"}),
    "console": (
        "console",
        {"params_file": "console_params_file", "port": "port", "recordings": "output"},
    ),
    "record": (
        "recorder",
        {"params_file": "recorder_params_file", "output": "output", "autostart": "autostart"},
    ),
}
COMMON = ("namespace", "embodiment", "use_sim_time", "use_respawn", "log_level")
ARGUMENTS = (
    Argument("sim", "start the simulated robot", "switch", "", "true"),
    Argument("run_policy", "start the policy node", "switch", "", "true"),
    Argument("recorder", "start the recorder", "switch", "", "false"),
    Argument("console", "start the operator's page, and teleoperation", "switch", "", "false"),
    Argument("params_file", "YAML of the policy node (default: policy.yaml)"),
    Argument("sim_params_file", "YAML of the simulator (default: sim.yaml)"),
    Argument("recorder_params_file", "YAML of the recorder (default: recorder.yaml)"),
    Argument("teleop_params_file", "YAML of teleoperation (default: teleop.yaml)"),
    Argument("console_params_file", "YAML of the console (default: console.yaml)"),
    Argument("port", "of the console's page"),
    Argument("joystick", "with the console: start joy_node too", "switch", "", "false"),
    NAMESPACE,
    Argument("world", "of the simulator (default: the embodiment's, where there is one)"),
    EMBODIMENT,
    Argument("task", "of the simulator"),
    Argument("policy", "evla, hold, circle, scripted, replay or path"),
    Argument("checkpoint", "checkpoint folder"),
    Argument("device", "cpu, cuda, cuda:1"),
    Argument("output", "folder of the recorder's bags"),
    Argument("use_sim_time", "the simulator publishes /clock and every node follows it"),
    AUTOSTART,
    Argument("shadow", "the policy publishes goals under ~/shadow only"),
    USE_RESPAWN,
    LOG_LEVEL,
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; include the parts."""
    return describe(ARGUMENTS, _parts)


def _parts(texts: Mapping[str, str]) -> list[Action]:
    chosen = dict(texts)
    if read_switch("sim", texts["sim"]):
        chosen |= _one_robot(texts)
    elif texts["world"]:
        raise EvlaError(f"world:={texts['world']} is of the simulator, which sim:=false leaves out")
    parts = []
    for file, (switch, renamed) in PARTS.items():
        if read_switch(switch, texts[switch]):
            passed = {name: chosen[name] for name in COMMON}
            passed |= {name: chosen[own] for name, own in renamed.items()}
            parts.append(include(file, passed))
    return parts


def _one_robot(texts: Mapping[str, str]) -> dict[str, str]:
    """Return world and embodiment such that simulator, policy and recorder mean the same robot."""
    from evla_ros.sim.description import WORLDS

    world, embodiment = texts["world"], texts["embodiment"]
    if world and not embodiment:
        return {"embodiment": world}
    if embodiment in WORLDS and not world:
        return {"world": embodiment}
    if world and embodiment in WORLDS and embodiment != world:
        raise EvlaError(
            f"world:={world} is not the robot of embodiment:={embodiment}; leave one of them out"
        )
    return {}
