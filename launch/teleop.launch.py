# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teleoperation of one robot by joystick: ros2 launch evla_ros teleop.launch.py.

For the keyboard run the node itself in a terminal: ros2 run evla_ros teleop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ament_index_python.packages import PackageNotFoundError, get_package_prefix

from evla_ros.errors import EvlaError
from evla_ros.ros.launching import (
    EMBODIMENT,
    USE_RESPAWN,
    Argument,
    describe,
    node_actions,
    node_arguments,
    read_switch,
)

if TYPE_CHECKING:
    from launch import Action, LaunchDescription


ARGUMENTS = node_arguments(
    "teleop",
    EMBODIMENT,
    Argument("joystick", "start joy_node of the package joy", "switch", "", "true"),
    USE_RESPAWN,
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; start the node and, unless told otherwise, the joystick driver."""

    def build(texts: Mapping[str, str]) -> list[Action]:
        # The driver first: where it is missing, no node without a device stays behind.
        joystick = read_switch("joystick", texts["joystick"])
        driver = [_driver(texts["namespace"])] if joystick else []
        return [*driver, *node_actions("teleop", ARGUMENTS, texts)]

    return describe(ARGUMENTS, build)


def _driver(namespace: str) -> Action:
    from launch_ros.actions import Node

    try:
        get_package_prefix("joy")
    except PackageNotFoundError:
        raise EvlaError(
            "joystick:=true needs the package joy, which is not installed: "
            "`sudo apt install ros-$ROS_DISTRO-joy`, or joystick:=false for other devices"
        ) from None
    return Node(package="joy", executable="joy_node", namespace=namespace)
