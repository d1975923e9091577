# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stop: the believed measured pose, latched once, approached within the limits and kept.

Never zeros (that is a place in the room), never the last goal (a robot that lags behind would go
on moving).
"""

from __future__ import annotations

from typing import NamedTuple

from evla_ros.control.limited_goal import LimitedGoal
from evla_ros.control.pose_guard import PoseGuard
from evla_ros.control.tick_clock import Elapsed
from evla_ros.geometry import Pose, distance

_ARRIVED_M = 1e-4
_ARRIVED_RAD = 1e-3


class _Latched(NamedTuple):
    pose: Pose
    turns: int


class Hold:
    """What one arm is told while it is stopped, until `release`."""

    def __init__(self, goal: LimitedGoal, guard: PoseGuard) -> None:
        """Move this goal, to what this guard believes."""
        self._goal, self._guard = goal, guard
        self._latched: _Latched | None = None

    def release(self) -> None:
        """Let go; the next step latches anew."""
        self._latched = None

    @property
    def target(self) -> Pose | None:
        """The pose that is held, None before the first step and after `release`."""
        return None if self._latched is None else self._latched.pose

    def step(self, elapsed: Elapsed, *, near_box: bool, fresh: bool) -> Pose | None:
        """Return the goal of this tick.

        The first step latches the believed pose, and a later one again when that turned out wrong.
        An arm that is outside its box is not followed there: the goal comes to rest where it is.

        Args:
            elapsed: Time since the last tick.
            near_box: Whether the believed pose is inside the workspace box, or all but.
            fresh: Whether the believed pose is young enough to stand for where the arm is.

        Returns:
            None (silence) while nothing was sent before and where the arm is is not known, or is
            outside its box.
        """
        measured, sent = self._guard.believed, self._goal.pose if self._goal.sent else None
        if measured is None or (sent is None and not (fresh and near_box)):
            self._goal.begin(None)
            return None
        if sent is None:
            self._goal.begin(measured)
        if self._latched is None or self._latched.turns != self._guard.turns:
            target = measured if near_box or sent is None else sent
            self._latched = _Latched(target, self._guard.turns)
        return self._goal.step(self._latched.pose, elapsed)

    @property
    def arrived(self) -> bool:
        """Whether the goal is at the pose that is held, or nothing is sent."""
        if self._latched is None or self._goal.pose is None:
            return self._goal.pose is None
        metres, radians = distance(self._goal.pose, self._latched.pose)
        return metres <= _ARRIVED_M and radians <= _ARRIVED_RAD
