# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot: ros2 launch evla_ros sim.launch.py world:=humanoid_upper_body.

An argument that is not given keeps the value of the parameter file. With use_sim_time:=true the
simulator publishes /clock; run every other node with use_sim_time then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from evla_ros.ros.launching import (
    EMBODIMENT,
    LOG_LEVEL,
    NAMESPACE,
    USE_RESPAWN,
    Argument,
    describe,
    node_actions,
)

if TYPE_CHECKING:
    from launch import Action, LaunchDescription


ARGUMENTS = (
    Argument("params_file", "YAML of the node's parameters (default: sim.yaml)"),
    NAMESPACE,
    Argument("world", "tabletop_arm or humanoid_upper_body", parameter="world"),
    EMBODIMENT,
    Argument("task", "a task family or an instruction; none: by the seed", parameter="task"),
    Argument("seed", "of the first episode", "number", "seed"),
    Argument("use_sim_time", "publish /clock", "switch", "own_clock"),
    USE_RESPAWN,
    LOG_LEVEL,
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; start the node."""

    def build(texts: Mapping[str, str]) -> list[Action]:
        return node_actions("sim", ARGUMENTS, texts)

    return describe(ARGUMENTS, build)
