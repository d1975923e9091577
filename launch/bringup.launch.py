# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Robot or simulator, policy and recorder: ros2 launch evla_ros bringup.launch.py sim:=true.

With sim:=false the robot's own drivers publish what the embodiment file names; start them first.
"""

from __future__ import annotations

from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution

from launch import LaunchDescription

PASSED = {
    "sim": ("namespace", "world", "embodiment", "task", "use_sim_time", "use_respawn", "log_level"),
    "policy": (
        "namespace", "embodiment", "policy", "checkpoint", "device", "use_sim_time", "autostart",
        "shadow", "use_respawn", "log_level",
    ),
    "record": ("namespace", "embodiment", "output", "use_sim_time", "autostart", "log_level"),
}  # fmt: skip


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; include the parts."""
    share = get_package_share_directory("evla_ros")
    params = PathJoinSubstitution([share, "config", "params"])
    arguments: tuple[tuple[str, Any, str], ...] = (
        ("sim", "true", "start the simulated robot"),
        ("run_policy", "true", "start the policy node"),
        ("recorder", "false", "start the recorder"),
        ("params_file", PathJoinSubstitution([params, "policy.yaml"]), "YAML of the policy node"),
        ("sim_params_file", PathJoinSubstitution([params, "sim.yaml"]), "YAML of the simulator"),
        ("namespace", "", "of the robot; two robots in two namespaces run side by side"),
        ("world", "", "world of the simulator: tabletop_arm or humanoid_upper_body"),
        ("embodiment", "tabletop_arm", "embodiment file or the name of a shipped one"),
        ("task", "", "task of the simulator"),
        ("policy", "", "evla, hold, circle, scripted, replay or path"),
        ("checkpoint", "", "checkpoint folder"),
        ("device", "", "cpu, cuda, cuda:1"),
        ("output", "recordings", "folder of the recorder's bags"),
        ("use_sim_time", "false", "the simulator publishes /clock and every node follows it"),
        ("autostart", "true", "configure and activate the lifecycle nodes"),
        ("shadow", "false", "the policy publishes goals under ~/shadow only"),
        ("use_respawn", "false", "start nodes again when they die"),
        ("log_level", "info", "debug, info, warn or error"),
    )
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in arguments
    ]
    return LaunchDescription(
        [
            *declared,
            _part(share, "sim", "sim", {"params_file": "sim_params_file"}),
            _part(share, "policy", "run_policy", {"params_file": "params_file"}),
            _part(share, "record", "recorder", {}),
        ]
    )


def _part(share: str, name: str, switch: str, renamed: dict[str, str]) -> IncludeLaunchDescription:
    path = PathJoinSubstitution([share, "launch", f"{name}.launch.py"])
    passed = {key: key for key in PASSED[name]} | renamed
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(path),
        launch_arguments=[(key, LaunchConfiguration(own)) for key, own in passed.items()],
        condition=IfCondition(LaunchConfiguration(switch)),
    )
