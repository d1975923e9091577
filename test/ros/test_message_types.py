# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages from plain fields, parts of messages included; each stream's profile is the table's."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.ros.message_types import message_class, new_message
from evla_ros.ros.qos import every_sample, latched, newest_only, reliable, stream_profile


def test_plain_fields_and_a_stamp_become_a_message():
    number = new_message("std_msgs/msg/Float64", {"data": 0.04}, 7)
    assert number.data == 0.04
    fields = {"name": ["finger"], "position": [0.04]}
    joint = new_message("sensor_msgs/msg/JointState", fields, 2_000_000_007)
    assert (joint.name, joint.position.tolist()) == (["finger"], [0.04])
    assert (joint.header.stamp.sec, joint.header.stamp.nanosec) == (2, 7)


def test_parts_that_are_messages_are_built_too():
    twist = {"twist": {"linear": {"x": 0.1}, "angular": {"z": -0.2}}, "header": {"frame_id": "b"}}
    message = new_message("geometry_msgs/msg/TwistStamped", twist, 5)
    assert (message.twist.linear.x, message.twist.angular.z) == (0.1, -0.2)
    assert (message.header.frame_id, message.header.stamp.nanosec) == ("b", 5)
    points = [{"positions": [0.01], "time_from_start": {"sec": 1}}, {"positions": [0.02]}]
    path = {"joint_names": ["finger"], "points": points}
    message = new_message("trajectory_msgs/msg/JointTrajectory", path, 0)
    assert [point.positions.tolist() for point in message.points] == [[0.01], [0.02]]
    assert message.points[0].time_from_start.sec == 1


@pytest.mark.parametrize(
    ("kind", "profile"),
    [
        (Kind.CAMERA, newest_only()),
        (Kind.POSE, every_sample()),
        (Kind.GRIPPER, every_sample()),
        (Kind.JOINTS, every_sample()),
        (Kind.GOAL, reliable(1)),
        (Kind.GRIPPER_COMMAND, reliable(1)),
        (Kind.INSTRUCTION, latched()),
        (Kind.ESTOP, reliable()),
    ],
)
def test_the_table_has_the_profiles_of_our_end(kind, profile):
    streams = streams_of(load_embodiment("humanoid_upper_body")).of_kind(kind)
    assert streams
    for stream in streams:
        ours = stream_profile(stream)
        for name in ("history", "depth", "reliability"):
            assert getattr(ours, name) == getattr(profile, name), name
        assert (ours.durability.value == 1) is (profile.durability.value == 1)
        assert message_class(stream.type)
