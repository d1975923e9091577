# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses as CDR: geometry_msgs/PoseStamped in the robot's base frame."""

from __future__ import annotations

from typing import NamedTuple

from evla_ros.data.cdr import CdrError
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.messages import decode_pose_stamped
from evla_ros.geometry.pose import GeometryError, Pose


class PoseMessage(NamedTuple):
    """A pose in the base frame, and its header stamp [ns]."""

    stamp_ns: int
    pose: Pose


def pose_from_cdr(data: bytes, base_frame: str | None) -> PoseMessage:
    """Return the pose in a raw PoseStamped; an empty frame counts as the base frame.

    Args:
        data: The message as CDR.
        base_frame: The frame that it has to be in; None takes any.

    Raises:
        BadSampleError: It is cut off, in another frame, or not finite.
    """
    try:
        message = decode_pose_stamped(data)
    except CdrError as error:
        raise BadSampleError("message", str(error)) from error
    frame = message.header.frame_id.lstrip("/")
    if base_frame is not None and frame not in ("", base_frame):
        raise BadSampleError("frame", f"comes in frame {frame!r}, expected {base_frame!r}")
    try:
        pose = Pose(message.position_m, message.quaternion_xyzw)
    except GeometryError as error:
        raise BadSampleError("finite", str(error)) from error
    return PoseMessage(message.header.stamp_ns, pose)
