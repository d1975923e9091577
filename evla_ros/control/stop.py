# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stop: the measured pose, latched once, and sent again and again.

Never zeros (that is a place in the room), never the last goal (a robot that lags behind would go
on moving).
"""

from __future__ import annotations

from evla_ros.control.limits.base import LimitState
from evla_ros.control.limits.speed import SpeedLimit
from evla_ros.geometry import Pose


class Hold:
    """What one arm is told while it is stopped.

    A fresh measured pose is where the arm is: it becomes the goal at once. A pose that went stale
    is where
    the arm was: the goal goes back to it at no more than the speed limit, which takes at most
    (tracking error limit + speed limit * max_age_s) / speed limit.
    """

    def __init__(self, measured: Pose, *, fresh: bool, speed: SpeedLimit) -> None:
        """Latch the pose; it is not read again."""
        self.pose = measured
        self._fresh = fresh
        self._speed = speed

    def goal(self, previous: Pose | None, dt_s: float) -> Pose:
        """Return the goal of this tick; `previous` is the one sent last, if there was one."""
        if self._fresh or previous is None or dt_s <= 0.0:
            return self.pose if self._fresh or previous is None else previous
        goal, _ = self._speed.limit(LimitState.at_rest(previous), self.pose, dt_s)
        return goal
