# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of the teleoperation node."""

from __future__ import annotations

from evla_ros.ros.parameters import Parameter

TABLE: tuple[Parameter, ...] = (
    Parameter("embodiment", "tabletop_arm", "embodiment file or name"),
    Parameter("keyboard", True, "read keys where there is a terminal"),
    Parameter("joy_topic", "joy", "sensor_msgs/Joy; empty: none"),
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
    Parameter("joy_dead_man", 4, "button", "", 0, 63),
    Parameter("joy_gripper", 0, "button", "", 0, 63),
    Parameter("joy_next_arm", 5, "button", "", 0, 63),
    Parameter("joy_axes", "1,0,4,99,99,3", "axes for x y z roll pitch yaw; 99 none, -1 is -axis 0"),
    Parameter("active_topic", "teleop/active", "std_msgs/Bool, true while a person has authority"),
    Parameter("policy_status_topic", "policy/status", "evla_ros/PolicyStatus; empty: none"),
    Parameter("recorder", "recorder", "node whose services the keys call"),
)
