# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policy node of one robot: ros2 launch evla_ros policy.launch.py checkpoint:=FOLDER.

An argument left empty keeps the value of the parameter file. Autostart configures and activates the
node; the robot still does not move before ~/start is called.
"""

from __future__ import annotations

from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.launch_context import LaunchContext
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode

from launch import LaunchDescription

TEXTS = ("embodiment", "policy", "checkpoint", "device")
SWITCHES = ("use_sim_time", "autostart", "shadow")


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; start the node."""
    share = get_package_share_directory("evla_ros")
    default = PathJoinSubstitution([share, "config", "params", "policy.yaml"])
    arguments: tuple[tuple[str, Any, str], ...] = (
        ("params_file", default, "YAML of the node's parameters"),
        ("namespace", "", "of the robot; two robots in two namespaces run side by side"),
        ("embodiment", "", "embodiment file or the name of a shipped one"),
        ("policy", "", "evla, hold, circle, scripted, replay or path"),
        ("checkpoint", "", "checkpoint folder"),
        ("device", "", "cpu, cuda, cuda:1"),
        ("use_sim_time", "false", "follow /clock"),
        ("autostart", "true", "configure and activate by itself"),
        ("shadow", "false", "publish goals under ~/shadow only"),
        ("use_respawn", "false", "start the node again when it dies; it comes back stopped"),
        ("log_level", "info", "debug, info, warn or error"),
    )
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in arguments
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_node)])


def _node(context: LaunchContext) -> list[LifecycleNode]:
    def chosen(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    given: dict[str, Any] = {name: chosen(name) for name in TEXTS if chosen(name)}
    given |= {name: chosen(name).lower() == "true" for name in SWITCHES}
    respawn = chosen("use_respawn").lower() == "true"
    return [
        LifecycleNode(
            package="evla_ros",
            executable="policy",
            name="policy",
            namespace=chosen("namespace"),
            output="screen",
            respawn=respawn,
            respawn_delay=2.0,
            arguments=["--ros-args", "--log-level", chosen("log_level")],
            parameters=[chosen("params_file"), given],
        )
    ]
