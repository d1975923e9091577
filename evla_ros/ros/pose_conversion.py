# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses and times to messages and back."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped

from evla_ros.geometry import Pose
from evla_ros.units import SECOND_NS


def time_message(stamp_ns: int) -> Time:
    """Return a time of int nanoseconds as a message."""
    seconds, rest = divmod(stamp_ns, SECOND_NS)
    return Time(sec=seconds, nanosec=rest)


def nanoseconds(stamp: Time) -> int:
    """Return a time message as int nanoseconds."""
    return int(stamp.sec) * SECOND_NS + int(stamp.nanosec)


def fill_pose(message: PoseStamped, pose: Pose, stamp_ns: int) -> None:
    """Write a pose and its time into a message that is used again and again."""
    seconds, rest = divmod(stamp_ns, SECOND_NS)
    message.header.stamp.sec, message.header.stamp.nanosec = seconds, rest
    position, orientation = message.pose.position, message.pose.orientation
    position.x, position.y, position.z = pose.position_m.tolist()
    orientation.x, orientation.y, orientation.z, orientation.w = pose.quaternion_xyzw.tolist()


def pose_stamped(pose: Pose, frame: str, stamp_ns: int) -> PoseStamped:
    """Return a pose as a new message."""
    message = PoseStamped()
    message.header.frame_id = frame
    fill_pose(message, pose, stamp_ns)
    return message
