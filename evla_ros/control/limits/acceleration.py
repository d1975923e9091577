# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Acceleration of the goal, linear and angular, without overshoot."""

from __future__ import annotations

from evla_ros.control.limits.base import Array, LimitState
from evla_ros.control.limits.motion import arriving_speed, clip_norm, moved, norm, turn_between
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.reasons import Reason
from evla_ros.geometry import Pose

_SEEN_M = 1e-5
_SEEN_RAD = 1e-4


class AccelerationLimit:
    """The goal's velocity changes by at most acceleration * dt per tick.

    A goal that lags behind the wanted one approaches it no faster than it can brake, relative to
    the wanted one's own velocity, so that it arrives instead of swinging around it.
    """

    def __init__(self, values: LimitValues) -> None:
        """Take accelerations and speeds from the values."""
        self._values = values

    def limit(self, state: LimitState, command: Pose, dt_s: float) -> tuple[Pose, Reason | None]:
        """Return the goal that the wanted change of velocity, clipped, leads to."""
        v = self._values
        way = command.position_m - state.previous.position_m
        turn = turn_between(state.previous, command)
        target = clip_norm(state.target_m_s, v.max_speed_m_s)
        target_turn = clip_norm(state.target_rad_s, v.max_rotation_rad_s)
        linear = _reachable(way, state.linear_m_s, target, v.max_acceleration_m_s2, dt_s)
        angular = _reachable(
            turn, state.angular_rad_s, target_turn, v.max_angular_acceleration_rad_s2, dt_s
        )
        missed_m, missed_rad = norm(linear * dt_s - way), norm(angular * dt_s - turn)
        if missed_m < 1e-12 and missed_rad < 1e-12:
            return command, None
        seen = missed_m > _SEEN_M or missed_rad > _SEEN_RAD
        return moved(state.previous, linear, angular, dt_s), (
            Reason.LIMIT_ACCELERATION if seen else None
        )


def _reachable(
    way: Array, velocity: Array, target: Array, acceleration: float, dt_s: float
) -> Array:
    """Return the velocity [3] for this tick: along `way`, within one tick's change of velocity."""
    lag = way - target * dt_s
    catch_up = clip_norm(lag / dt_s, arriving_speed(norm(lag), acceleration, dt_s))
    change = clip_norm(target + catch_up - velocity, acceleration * dt_s)
    result: Array = velocity + change
    return result
