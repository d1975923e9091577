# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Goals that are a whole way: trajectory_msgs/MultiDOFJointTrajectory, one transform a point.

As ros2_controllers' cartesian_trajectory_controller takes them (its documentation of 2026): each
transform is the pose of the tool, the frame is the base frame or empty, times grow strictly. The
stamp says when the way begins; 0 is at once, on arrival.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from evla_ros.data.bags import encode
from evla_ros.data.cdr import CdrError
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.messages import decode_pose_trajectory
from evla_ros.geometry import GeometryError, Pose, TimedPose, Way, pose_on_way
from evla_ros.units import SECOND_NS


class WayMessage(NamedTuple):
    """A way of the tool in the base frame, and when it begins [ns]; 0: on arrival."""

    stamp_ns: int
    way: Way


class CommandedWay(NamedTuple):
    """A way that was commanded, and where it started: at `start`, when it came."""

    start: Pose
    way: Way

    def at(self, after_ns: int, max_age_ns: int) -> Pose | None:
        """Return the goal some time after its start; None when the way is over for longer."""
        if after_ns - self.way[-1].after_ns > max_age_ns:
            return None
        return pose_on_way(self.start, self.way, after_ns)


def way_fields(frame: str, way: Sequence[TimedPose]) -> dict[str, Any]:
    """Return the fields of a message with this way, to build it from.

    Raises:
        ValueError: There is no pose, or the times do not grow strictly from above 0.
    """
    times = [0, *(point.after_ns for point in way)]
    if len(times) < 2 or any(b <= a for a, b in pairwise(times)):
        raise ValueError(f"times {times[1:]} ns do not grow strictly from above 0")
    return {"header": {"frame_id": frame}, "points": [_point(*point) for point in way]}


def way_to_cdr(stamp_ns: int, frame: str, way: Sequence[TimedPose]) -> bytes:
    """Return a message with this way as CDR."""
    return encode.encode_pose_trajectory(stamp_ns, frame, way)


def way_from_cdr(data: bytes, base_frame: str | None) -> WayMessage:
    """Return the way in a raw message; an empty frame counts as the base frame.

    Args:
        data: The message as CDR.
        base_frame: The frame that it has to be in; None takes any.

    Raises:
        BadSampleError: It is cut off, in another frame, not finite, or what the controller ignores:
            without a point, with another number of transforms than one, times that do not grow.
    """
    try:
        message = decode_pose_trajectory(data)
    except CdrError as error:
        raise BadSampleError("message", str(error)) from error
    frame = message.header.frame_id.lstrip("/")
    if base_frame is not None and frame not in ("", base_frame):
        raise BadSampleError("frame", f"comes in frame {frame!r}, expected {base_frame!r}")
    times = [0, *message.after_ns]
    if len(times) < 2:
        raise BadSampleError("message", "has no point")
    late = [i for i in range(1, len(times)) if times[i] <= times[i - 1]]
    if late:
        raise BadSampleError("message", f"time_from_start of point {late[0] - 1} does not grow")
    sizes = {len(point) for point in message.transforms}
    if sizes != {1}:
        raise BadSampleError("message", f"has points of {max(sizes - {1})} transforms, not of one")
    try:
        poses = [Pose(*point[0]) for point in message.transforms]
    except GeometryError as error:
        raise BadSampleError("finite", str(error)) from error
    way = tuple(TimedPose(*pair) for pair in zip(message.after_ns, poses, strict=True))
    return WayMessage(message.header.stamp_ns, way)


def _point(after_ns: int, pose: Pose) -> dict[str, Any]:
    seconds, rest = divmod(after_ns, SECOND_NS)
    translation = dict(zip("xyz", pose.position_m.tolist(), strict=True))
    rotation = dict(zip("xyzw", pose.quaternion_xyzw.tolist(), strict=True))
    return {
        "transforms": [{"translation": translation, "rotation": rotation}],
        "time_from_start": {"sec": seconds, "nanosec": rest},
    }
