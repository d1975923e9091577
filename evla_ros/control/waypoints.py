# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One chunk as waypoints of one arm: where the arm should be at the end of each action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.control.limits.step_size import clip_step
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.reasons import Reason
from evla_ros.geometry import Pose, apply_delta


@dataclass(frozen=True, eq=False)
class Waypoints:
    """poses: K + 1, the first one the measured pose at `start_ns`, each next one `tick_ns` later.

    openings: [K] gripper openings, one per action.
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

    actions: [K, 7] finite dx dy dz [m] droll dpitch dyaw [rad] opening; each clipped to the step
        limits.
    """
    poses, clipped = [anchor], 0
    for row in actions:
        delta, reason = clip_step(row[:6], values)
        clipped += reason is Reason.LIMIT_STEP
        poses.append(apply_delta(poses[-1], delta))
    return Waypoints(start_ns, tick_ns, poses, actions[:, 6].copy(), clipped)
