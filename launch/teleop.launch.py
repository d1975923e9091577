# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teleoperation of one robot by joystick: ros2 launch evla_ros teleop.launch.py.

For the keyboard run the node itself in a terminal: ros2 run evla_ros teleop.
"""

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; start the node and, unless told otherwise, the joystick driver."""
    share = get_package_share_directory("evla_ros")
    default = PathJoinSubstitution([share, "config", "params", "teleop.yaml"])
    arguments = (
        ("params_file", default, "YAML of the node's parameters"),
        ("namespace", "", "of the robot"),
        ("embodiment", "tabletop_arm", "embodiment file or name"),
        ("joystick", "true", "start joy_node of the package joy"),
        ("use_sim_time", "false", "follow /clock"),
        ("log_level", "info", "of the node"),
    )
    chosen = LaunchConfiguration
    simulated = {"use_sim_time": ParameterValue(chosen("use_sim_time"), value_type=bool)}
    teleop = Node(
        package="evla_ros",
        executable="teleop",
        name="teleop",
        namespace=chosen("namespace"),
        output="screen",
        arguments=["--ros-args", "--log-level", chosen("log_level")],
        parameters=[chosen("params_file"), {"embodiment": chosen("embodiment")}, simulated],
    )
    joystick = Node(
        package="joy",
        executable="joy_node",
        namespace=chosen("namespace"),
        condition=IfCondition(chosen("joystick")),
    )
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in arguments
    ]
    return LaunchDescription([*declared, teleop, joystick])
