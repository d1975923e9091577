# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the teleoperation node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.ros.parameters import Parameter
from evla_ros.ros.teleop.devices import JoyMap

TABLE: tuple[Parameter, ...] = (
    Parameter("embodiment", "tabletop_arm", "embodiment file or name"),
    Parameter("keyboard", True, "read keys where there is a terminal"),
    Parameter("joy_topic", "joy", "sensor_msgs/Joy; empty: none"),
    Parameter("console_topic", "console/teleop", "evla_ros/TeleopCommand; empty: none"),
    Parameter("twist_topic", "", "geometry_msgs/TwistStamped in base_frame; empty: none"),
    Parameter("pose_topic", "", "geometry_msgs/PoseStamped of a tracked hand; empty: none"),
    Parameter("clutch_topic", "", "std_msgs/Bool, the dead-man of twist and pose; empty: always"),
    Parameter("gripper_topic", "", "std_msgs/Float64, 1 opens and 0 closes, with twist and pose"),
    Parameter("arm", 0, "which arm twist and pose move", "", 0, 15),
    Parameter("speed_m_s", 0.2, "of a full stick or key", "m/s", 0.001, 2.0),
    Parameter("speed_rad_s", 0.8, "of a full stick or key", "rad/s", 0.001, 6.3),
    Parameter("scale", 1.0, "robot way per way of the hand", "", 0.01, 10.0),
    Parameter("dead_man_s", 0.3, "silence of a device that counts as let go", "s", 0.02, 5.0),
    Parameter("hold_s", 0.3, "the measured pose is sent after letting go", "s", 0.0, 5.0),
    Parameter(
        "listen_first_s", 3.5, "after its start, while the stop button is found", "s", 0.0, 60.0
    ),
    Parameter("joy_dead_man", 4, "button", "", 0, 63),
    Parameter("joy_gripper", 0, "button", "", 0, 63),
    Parameter("joy_next_arm", 5, "button", "", 0, 63),
    Parameter("joy_axes", "1,0,4,99,99,3", "axes for x y z roll pitch yaw; 99 none, -1 is -axis 0"),
    Parameter("base_twist_topic", "", "geometry_msgs/Twist for the base; empty: none"),
    Parameter("base_speed_m_s", 0.3, "of the base, full stick or key", "m/s", 0.001, 3.0),
    Parameter("base_speed_rad_s", 0.6, "of the base, full stick or key", "rad/s", 0.001, 6.3),
    Parameter("axis_speed", 0.5, "share of a single joint's speed limit", "", 0.01, 1.0),
    Parameter("joy_base_axes", "7,99,6", "axes for vx vy wz of the base; 99 none, -1 is -axis 0"),
    Parameter("joy_axis_up", 3, "button", "", 0, 63),
    Parameter("joy_axis_down", 2, "button", "", 0, 63),
    Parameter("joy_next_axis", 1, "button", "", 0, 63),
    Parameter("active_topic", "teleop/active", "std_msgs/Bool, true while a person has authority"),
    Parameter("policy_status_topic", "policy/status", "evla_ros/PolicyStatus; empty: none"),
    Parameter("recorder", "recorder", "node whose services the keys call"),
)


def joy_map(values: Mapping[str, Any]) -> JoyMap:
    """Return the gamepad's map; EvlaError for axes that are not as many numbers as are needed."""
    return JoyMap(
        values["joy_dead_man"],
        values["joy_gripper"],
        values["joy_next_arm"],
        _numbers(values, "joy_axes", 6, "six"),
        base=_numbers(values, "joy_base_axes", 3, "three"),
        axis_up=values["joy_axis_up"],
        axis_down=values["joy_axis_down"],
        next_axis=values["joy_next_axis"],
    )


def _numbers(values: Mapping[str, Any], name: str, count: int, word: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(number) for number in values[name].split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        raise EvlaError(f"{name} {values[name]!r} takes {word} numbers")
    return numbers
