# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A way through poses at times, counted from its start; knows no clock and no robot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evla_ros.geometry.pose import Pose, interpolate


class TimedPose(NamedTuple):
    """Where to be `after_ns` nanoseconds after the start of the way."""

    after_ns: int
    pose: Pose


Way = tuple[TimedPose, ...]


def pose_on_way(start: Pose, way: Sequence[TimedPose], after_ns: int) -> Pose:
    """Return the pose at a time: straight lines and slerp, the ends before and after.

    Args:
        start: Where the way begins, at time 0.
        way: Its poses, with strictly increasing times above 0.
        after_ns: Since its start.
    """
    before = TimedPose(0, start)
    for point in way:
        if after_ns < point.after_ns:
            share = max(0, after_ns - before.after_ns) / (point.after_ns - before.after_ns)
            return interpolate(before.pose, point.pose, share)
        before = point
    return before.pose
