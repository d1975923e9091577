# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder of one robot: ros2 launch evla_ros record.launch.py output:=recordings."""

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node, which configures and activates itself."""
    share = get_package_share_directory("evla_ros")
    default = PathJoinSubstitution([share, "config", "params", "recorder.yaml"])
    arguments = (
        ("params_file", default, "YAML of the recorder's parameters"),
        ("namespace", "", "of the robot"),
        ("embodiment", "tabletop_arm", "embodiment file or name"),
        ("output", "recordings", "folder of the bags"),
        ("operator", "", "goes into every bag"),
        ("use_sim_time", "false", "follow /clock"),
        ("autostart", "true", "configure and activate by itself"),
        ("log_level", "info", "of the node"),
    )
    chosen = LaunchConfiguration
    node = LifecycleNode(
        package="evla_ros",
        executable="recorder",
        name="recorder",
        namespace=chosen("namespace"),
        output="screen",
        arguments=["--ros-args", "--log-level", chosen("log_level")],
        parameters=[
            chosen("params_file"),
            {
                "embodiment": chosen("embodiment"),
                "output": chosen("output"),
                "operator": ParameterValue(chosen("operator"), value_type=str),
                "use_sim_time": ParameterValue(chosen("use_sim_time"), value_type=bool),
                "autostart": ParameterValue(chosen("autostart"), value_type=bool),
            },
        ],
    )
    declared = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in arguments
    ]
    return LaunchDescription([*declared, node])
