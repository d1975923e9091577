# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From waypoints at the policy's rate to a goal at any time: straight lines and slerp."""

from __future__ import annotations

from evla_ros.control.waypoints import Waypoints
from evla_ros.geometry import Pose, interpolate


def goal_at(waypoints: Waypoints, time_ns: int) -> Pose:
    """Return the pose at that time; the first or last waypoint before or after the chunk."""
    if time_ns <= waypoints.start_ns:
        return waypoints.poses[0]
    if time_ns >= waypoints.end_ns:
        return waypoints.poses[-1]
    row, into_ns = divmod(time_ns - waypoints.start_ns, waypoints.tick_ns)
    return interpolate(waypoints.poses[row], waypoints.poses[row + 1], into_ns / waypoints.tick_ns)


def blended(old: Pose, new: Pose, weight: float) -> Pose:
    """Return the pose on the way from old to new, eased in and out; weight 0 is old, 1 is new."""
    return interpolate(old, new, eased(weight))


def eased(weight: float) -> float:
    """Return a weight that leaves 0 and reaches 1 without a kink."""
    w = min(max(weight, 0.0), 1.0)
    return w * w * (3.0 - 2.0 * w)
