# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot: ros2 launch evla_ros sim.launch.py world:=humanoid_upper_body.

An argument left empty keeps the value of the parameter file.
"""

from __future__ import annotations

from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.launch_context import LaunchContext
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; start the node."""
    share = get_package_share_directory("evla_ros")
    default = PathJoinSubstitution([share, "config", "params", "sim.yaml"])
    arguments: tuple[tuple[str, Any, str], ...] = (
        ("params_file", default, "YAML of the simulator's parameters"),
        ("namespace", "", "of the robot"),
        ("world", "", "tabletop_arm or humanoid_upper_body"),
        ("embodiment", "", "embodiment file or name; empty: the one shipped for the world"),
        ("task", "", "a task family or an instruction; empty: drawn by the seed"),
        ("seed", "", "of the first episode"),
        ("use_sim_time", "false", "publish /clock; run the other nodes with use_sim_time too"),
        ("use_respawn", "false", "start the node again when it dies"),
        ("log_level", "info", "debug, info, warn or error"),
    )
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in arguments
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_node)])


def _node(context: LaunchContext) -> list[Node]:
    def chosen(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    texts = ("world", "embodiment", "task")
    given: dict[str, Any] = {name: chosen(name) for name in texts if chosen(name)}
    if chosen("seed"):
        given["seed"] = int(chosen("seed"))
    if chosen("use_sim_time").lower() == "true":
        given["own_clock"] = True
    return [
        Node(
            package="evla_ros",
            executable="sim",
            name="sim",
            namespace=chosen("namespace"),
            output="screen",
            respawn=chosen("use_respawn").lower() == "true",
            respawn_delay=2.0,
            arguments=["--ros-args", "--log-level", chosen("log_level")],
            parameters=[chosen("params_file"), given],
        )
    ]
