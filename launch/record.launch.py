# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder of one robot: ros2 launch evla_ros record.launch.py output:=recordings.

An argument that is not given keeps the value of the parameter file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evla_ros.ros.launching import (
    AUTOSTART,
    EMBODIMENT,
    USE_RESPAWN,
    Argument,
    describe,
    node_actions,
    node_arguments,
)

if TYPE_CHECKING:
    from launch import LaunchDescription


ARGUMENTS = node_arguments(
    "recorder",
    EMBODIMENT,
    Argument("output", "folder of the bags", parameter="output"),
    Argument("operator", "goes into every bag", parameter="operator"),
    AUTOSTART,
    USE_RESPAWN,
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; start the node."""
    return describe(
        ARGUMENTS, lambda texts: node_actions("recorder", ARGUMENTS, texts, lifecycle=True)
    )
