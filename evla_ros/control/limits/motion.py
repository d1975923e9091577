# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Arithmetic that several limits share: turns between poses, clipped vectors, braking speed."""

from __future__ import annotations

import math

import numpy as np

from evla_ros.control.limits.base import Array
from evla_ros.geometry import Pose, rotation


def norm(v: Array) -> float:
    """Return the length of v [3]; never overflows."""
    return math.hypot(v[0], v[1], v[2])


def clip_norm(v: Array, longest: float) -> Array:
    """Return v [3], shortened to `longest` where it is longer."""
    length = norm(v)
    if length <= longest:
        return v
    if math.isinf(length):  # finite parts, length beyond float64
        v = v / np.max(np.abs(v))
        length = norm(v)
    clipped: Array = v * (longest / length)
    return clipped


def turn_between(start: Pose, end: Pose) -> Array:
    """Return the rotation vector [3], in the base frame, that turns start into end."""
    q = rotation.multiply(end.quaternion_xyzw, rotation.conjugate(start.quaternion_xyzw))
    return rotation.to_rotvec(q)


def moved(start: Pose, linear_m_s: Array, angular_rad_s: Array, dt_s: float) -> Pose:
    """Return where a constant velocity leads from start in dt_s."""
    turn = rotation.from_rotvec(angular_rad_s * dt_s)
    return Pose(
        start.position_m + linear_m_s * dt_s, rotation.multiply(turn, start.quaternion_xyzw)
    )


def braking_speed(distance: float, acceleration: float, dt_s: float) -> float:
    """Return the highest speed towards a wall for this tick: braking still ends in front of it.

    With v the speed and d - v dt the way that is left after the tick, v^2 <= 2 a (d - v dt). From
    there every next tick, however short or long, can obey the same rule by slowing down by no more
    than a dt; a rule that counts on ticks of equal length cannot.

    Args:
        distance: Way to the wall [m]; a negative one counts as 0.
        acceleration: Largest deceleration [m/s^2].
        dt_s: Length of this tick [s].
    """
    gained = acceleration * dt_s
    way = 2.0 * acceleration * max(distance, 0.0)
    # sqrt(gained^2 + way) - gained, without its cancellation next to a wall
    return way / (math.sqrt(gained * gained + way) + gained) if way > 0.0 else 0.0


def arriving_speed(distance: float, acceleration: float, dt_s: float) -> float:
    """Return the highest speed for this tick that arrives, slowing down by acceleration * dt_s.

    Exact in ticks of equal length: n further ones, each slower, then the rest:
    (n + 1) v dt - n (n + 1) / 2 a dt^2 = d. After a shorter tick the point is overshot a little, so
    this is for points that may be.

    Args:
        distance: Way to the point to arrive at [m or rad], at least 0.
        acceleration: Largest deceleration [m/s^2 or rad/s^2].
        dt_s: Length of this tick [s].
    """
    unit = acceleration * dt_s * dt_s
    n = math.floor(0.5 * (math.sqrt(1.0 + 8.0 * distance / unit) - 1.0))
    return distance / ((n + 1) * dt_s) + 0.5 * n * acceleration * dt_s
