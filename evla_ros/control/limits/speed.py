# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Speed of the goal, linear and angular."""

from __future__ import annotations

from evla_ros.control.limits.base import LimitState
from evla_ros.control.limits.motion import clip_norm, moved, norm, turn_between
from evla_ros.control.reasons import Reason
from evla_ros.geometry import Pose


class SpeedLimit:
    """At most max_speed_m_s and max_rotation_rad_s from one goal to the next."""

    def __init__(self, max_speed_m_s: float, max_rotation_rad_s: float) -> None:
        """Speeds in m/s and rad/s."""
        self._linear, self._angular = max_speed_m_s, max_rotation_rad_s

    def limit(self, state: LimitState, command: Pose, dt_s: float) -> tuple[Pose, Reason | None]:
        """Shorten the way from the previous goal, in the same direction."""
        way = command.position_m - state.previous.position_m
        turn = turn_between(state.previous, command)
        too_fast = norm(way) > self._linear * dt_s * (1 + 1e-9)
        turns_too_fast = norm(turn) > self._angular * dt_s * (1 + 1e-9)
        if not (too_fast or turns_too_fast):
            return command, None
        linear = clip_norm(way, self._linear * dt_s)
        angular = clip_norm(turn, self._angular * dt_s)
        reason = Reason.LIMIT_SPEED if too_fast else Reason.LIMIT_ROTATION_SPEED
        return moved(state.previous, linear, angular, 1.0), reason
