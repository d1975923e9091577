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
    """Return the highest speed that stops within distance, slowing by acceleration * dt_s.

    Exact in ticks: n further ones, each slower, then the rest: (n + 1) v dt - n (n + 1) / 2 a dt^2
    = d.
    """
    unit = acceleration * dt_s * dt_s
    distance = max(distance, 0.0)
    n = math.floor(0.5 * (math.sqrt(1.0 + 8.0 * distance / unit) - 1.0))
    return distance / ((n + 1) * dt_s) + 0.5 * n * acceleration * dt_s
