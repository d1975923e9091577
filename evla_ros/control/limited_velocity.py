# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The velocity command of a base that was sent last, and the next one that its limits allow.

The only way from one velocity to another: for a policy, for a stop, and for a person's hand.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from evla_ros.control.limits.moving_parts import BaseLimitValues
from evla_ros.control.reasons import Reason
from evla_ros.control.tick_clock import Elapsed

Velocity = npt.NDArray[np.float64]  # [3] vx vy [m/s], wz [rad/s] in the base's own frame
_SEEN_M_S = 1e-4
_SEEN_RAD_S = 1e-4


class LimitedVelocity:
    """A velocity that changes under limits; silent until `begin`."""

    def __init__(self, values: BaseLimitValues) -> None:
        """Start silent."""
        self.velocity: Velocity | None = None
        self.clips: tuple[Reason, ...] = ()
        self.values = values

    def set_limits(self, values: BaseLimitValues) -> None:
        """Use these limits from the next step on; a faster command then brakes to them."""
        self.values = values

    def begin(self, velocity: Velocity | None) -> None:
        """Start from a velocity; None: fall silent."""
        self.velocity, self.clips = velocity, ()

    @property
    def at_rest(self) -> bool:
        """Whether the command is zero, or nothing is sent."""
        return self.velocity is None or not np.any(self.velocity)

    def step(self, desired: Velocity, elapsed: Elapsed) -> Velocity:
        """Return the velocity nearest to the desired one that the limits allow.

        Args:
            desired: [3] vx vy wz, finite.
            elapsed: Time since the last step; where none passed, the last velocity stands.
        """
        if self.velocity is None:
            self.velocity = np.zeros(3)
        if elapsed.dt_s <= 0.0:
            return self.velocity
        fast = self._within_speed(desired)
        smooth = self._within_acceleration(fast, elapsed.dt_s)
        clips = []
        if _differ(fast[:2], desired[:2], _SEEN_M_S):
            clips.append(Reason.LIMIT_SPEED)
        if _differ(fast[2:], desired[2:], _SEEN_RAD_S):
            clips.append(Reason.LIMIT_ROTATION_SPEED)
        if _differ(smooth, fast, _SEEN_M_S):
            clips.append(Reason.LIMIT_ACCELERATION)
        self.velocity, self.clips = smooth, tuple(clips)
        return smooth

    def _within_speed(self, desired: Velocity) -> Velocity:
        """Clip each way of moving, and the speed over ground to the faster of the two."""
        v = self.values
        most = np.array([v.max_speed_m_s, v.max_lateral_m_s, v.max_rotation_rad_s])
        clipped = np.clip(desired, -most, most)
        speed, fastest = math.hypot(*clipped[:2]), max(most[0], most[1])
        if speed > fastest:
            clipped[:2] *= fastest / speed
        return clipped

    def _within_acceleration(self, desired: Velocity, dt_s: float) -> Velocity:
        before, v = self.velocity, self.values
        assert before is not None  # noqa: S101 - the only caller has set it
        change = desired - before
        length, most_m_s = math.hypot(*change[:2]), v.max_acceleration_m_s2 * dt_s
        if length > most_m_s:
            change[:2] *= most_m_s / length
        most_rad_s = v.max_angular_acceleration_rad_s2 * dt_s
        change[2] = min(max(change[2], -most_rad_s), most_rad_s)
        result: Velocity = before + change
        arrived = np.abs(result - desired) < 1e-12
        return np.where(arrived, desired, result)


def _differ(a: Velocity, b: Velocity, seen: float) -> bool:
    return bool(np.max(np.abs(a - b)) > seen)
