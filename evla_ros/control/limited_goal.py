# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The goal of one arm that was sent last, and the next one that its limits allow.

The only way from one goal to another: for a policy, for a hold, and for a person's hand.
"""

from __future__ import annotations

import numpy as np

from evla_ros.control.limits import LimitState, LimitValues, goal_limits
from evla_ros.control.limits.base import Array
from evla_ros.control.limits.motion import turn_between
from evla_ros.control.reasons import Reason
from evla_ros.control.tick_clock import Elapsed
from evla_ros.geometry import Pose

Velocity = tuple[Array, Array]
_REST_M_S, _REST_RAD_S = 1e-3, 1e-2
_REST: Velocity = (np.zeros(3), np.zeros(3))


class LimitedGoal:
    """A goal that moves under limits; silent until `begin`, and the first step stays there."""

    def __init__(self, values: LimitValues) -> None:
        """Start silent."""
        self.pose: Pose | None = None
        self.sent = False
        self.clips: tuple[Reason, ...] = ()
        self._velocity = _REST
        self.set_limits(values)

    def set_limits(self, values: LimitValues) -> None:
        """Use these limits from the next step on; a tightened one may brake harder in that step."""
        self.values = values
        self._limits = goal_limits(values)

    def begin(self, pose: Pose | None) -> None:
        """Start at rest from a pose, where the arm is; None: fall silent."""
        self.pose, self.sent, self._velocity, self.clips = pose, False, _REST, ()

    def from_here(self, pose: Pose) -> LimitedGoal:
        """Return a goal at another pose with the velocity and the limits of this one."""
        other = LimitedGoal(self.values)
        other.begin(pose)
        other.sent, other._velocity = True, self._velocity
        return other

    @property
    def rests(self) -> bool:
        """Whether the last step left it where it was, as far as anybody sees."""
        linear, angular = self._velocity
        return bool(np.linalg.norm(linear) < _REST_M_S and np.linalg.norm(angular) < _REST_RAD_S)

    def step(self, desired: Pose, elapsed: Elapsed, target: Velocity = _REST) -> Pose:
        """Go towards a pose.

        Args:
            desired: In the base frame.
            elapsed: Time since the last step.
            target: Linear [m/s] and angular [rad/s] velocity [3] of the desired pose itself.

        Returns:
            The nearest goal to the desired one that the limits allow; the last one when no time
            passed or it was not sent yet; the desired one where there was none.
        """
        if self.pose is None:
            self.begin(desired)
        previous = self.pose or desired
        dt_s, passed_s = elapsed
        if dt_s <= 0.0 or not self.sent:
            self.sent = True
            return previous
        share = dt_s / passed_s  # after late ticks the goal has been slower than it was sent
        linear, angular = self._velocity
        state = LimitState(previous, linear * share, angular * share, *target)
        goal, self.clips = self._limits.limit(state, desired, dt_s)
        self._velocity = (
            (goal.position_m - previous.position_m) / passed_s,
            turn_between(previous, goal) / passed_s,
        )
        self.pose = goal
        return goal
