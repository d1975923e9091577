# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One chunk as waypoints of one arm: where the arm should be at the end of each action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.control.axis_pose import axis_pose
from evla_ros.control.limits.step_size import clip_step
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.reasons import Reason
from evla_ros.geometry import Pose, apply_delta


@dataclass(frozen=True, eq=False)
class Waypoints:
    """Where one arm should be, action by action.

    Attributes:
        start_ns: Time of the first waypoint.
        tick_ns: Time from one waypoint to the next.
        poses: K + 1 waypoints, the first one the anchor.
        openings: [K] gripper openings in [0, 1], one per action.
        clipped: How many actions the step limits shortened.
    """

    start_ns: int
    tick_ns: int
    poses: Sequence[Pose]
    openings: npt.NDArray[np.float64]
    clipped: int = 0

    @property
    def end_ns(self) -> int:
        """Time of the last waypoint."""
        return self.start_ns + self.tick_ns * len(self.openings)

    def row_at(self, time_ns: int) -> int:
        """Return the action under way at that time, the first or last one outside the chunk."""
        row = (time_ns - self.start_ns) // self.tick_ns
        return int(min(max(row, 0), len(self.openings) - 1))


def waypoints_of(
    actions: npt.NDArray[np.float64],
    anchor: Pose,
    start_ns: int,
    tick_ns: int,
    values: LimitValues,
) -> Waypoints:
    """Chain the deltas of one arm from the anchor.

    Args:
        actions: [K, 7] finite: dx dy dz [m], droll dpitch dyaw [rad], opening [0, 1].
        anchor: Where the first delta starts, in the base frame.
        start_ns: Time of the anchor.
        tick_ns: Time of one action.
        values: The step limits, to which each delta is clipped.
    """
    poses, clipped = [anchor], 0
    for row in actions:
        delta, reason = clip_step(row[:6], values)
        clipped += reason is Reason.LIMIT_STEP
        poses.append(apply_delta(poses[-1], delta))
    return Waypoints(start_ns, tick_ns, poses, actions[:, 6].copy(), clipped)


def positions_of(
    positions: npt.NDArray[np.float64],
    anchor: Pose,
    start_ns: int,
    tick_ns: int,
    values: LimitValues,
) -> Waypoints:
    """Return the waypoints of an axis: the position that each action says, after the anchor's.

    Args:
        positions: [K] finite, absolute [m or rad]; one far outside the range stays a little
            outside, where the limits on goals see it.
        anchor: Stands for where the axis is at the start; see `axis_pose`.
        start_ns: Time of the anchor.
        tick_ns: Time of one action.
        values: Its limits, on a line.
    """
    low, high = values.workspace_min_m[0], values.workspace_max_m[0]
    positions = np.clip(positions, 2 * low - high, 2 * high - low)
    poses = [anchor, *(axis_pose(position) for position in positions.tolist())]
    return Waypoints(start_ns, tick_ns, poses, np.full(len(positions), 0.5))
