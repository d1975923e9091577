# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations as unit quaternions: float64 arrays [..., 4] in the order x y z w (the order of ROS).

A rotation acts on column vectors; `multiply(a, b)` means "first b, then a". Every function
broadcasts over leading axes. Roll, pitch and yaw are fixed-axis XYZ angles (REP 103): R = Rz(yaw)
Ry(pitch) Rx(roll).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.geometry import scalar

Array = npt.NDArray[np.float64]

# A pitch closer than this to +-90 degrees is gimbal lock; the round trip loses no more than that.
_GIMBAL_LOCK_RAD = 1e-8
_SMALL_ANGLE_RAD = 1e-6


def normalize(q: npt.ArrayLike) -> Array:
    """Return quaternions [..., 4] at unit length with w >= 0, so that each rotation has only one.

    For a turn of exactly 180 degrees (w = 0) the first component that is not zero becomes positive.
    """
    array: Array = np.asarray(q, dtype=np.float64)
    if array.ndim == 1:
        return scalar.normalize(array)
    array = array / np.max(np.abs(array), axis=-1, keepdims=True)  # no overflow
    array = array / np.linalg.norm(array, axis=-1, keepdims=True)
    x, y, z, w = (array[..., i : i + 1] for i in range(4))
    sign = np.where(w != 0.0, w, np.where(x != 0.0, x, np.where(y != 0.0, y, z)))
    return np.where(sign < 0.0, -array, array)


def multiply(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return the rotation "first b, then a" as quaternions [..., 4]."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim == b.ndim == 1:
        return scalar.multiply(a, b)
    av, aw, bv, bw = a[..., :3], a[..., 3:4], b[..., :3], b[..., 3:4]
    vector = aw * bv + bw * av + np.cross(av, bv)
    real = aw * bw - np.sum(av * bv, axis=-1, keepdims=True)
    return normalize(np.concatenate([vector, real], axis=-1))


def conjugate(q: npt.ArrayLike) -> Array:
    """Return the inverse rotation of unit quaternions [..., 4]."""
    conjugated: Array = np.asarray(q, dtype=np.float64) * np.array([-1.0, -1.0, -1.0, 1.0])
    return conjugated


def rotate(q: npt.ArrayLike, v: npt.ArrayLike) -> Array:
    """Return the vectors `v` [..., 3] rotated by the quaternions `q` [..., 4]."""
    q, v = np.asarray(q, dtype=np.float64), np.asarray(v, dtype=np.float64)
    if q.ndim == v.ndim == 1:
        return scalar.rotate(q, v)
    u, w = q[..., :3], q[..., 3:4]
    t = 2.0 * np.cross(u, v)
    return np.asarray(v + w * t + np.cross(u, t))


def from_rpy(rpy: npt.ArrayLike) -> Array:
    """Return the quaternions [..., 4] of fixed-axis roll, pitch and yaw [..., 3] in radians."""
    rpy = np.asarray(rpy, dtype=np.float64)
    if rpy.ndim == 1:
        return scalar.from_rpy(rpy)
    half = 0.5 * rpy
    (cr, cp, cy), (sr, sp, sy) = (np.moveaxis(f(half), -1, 0) for f in (np.cos, np.sin))
    x = sr * cp * cy - cr * sp * sy
    y = cr * sp * cy + sr * cp * sy
    z = cr * cp * sy - sr * sp * cy
    w = cr * cp * cy + sr * sp * sy
    return normalize(np.stack([x, y, z, w], axis=-1))


def to_rpy(q: npt.ArrayLike) -> Array:
    """Return fixed-axis roll, pitch and yaw [..., 3] in radians, the pitch within +-pi/2.

    At gimbal lock (a pitch of +-pi/2) only the sum or difference of roll and yaw is defined. Roll
    is then 0 and yaw carries the rest, so that `from_rpy(to_rpy(q))` equals `q` everywhere.
    """
    m = to_matrix(q)
    cos_pitch = np.hypot(m[..., 0, 0], m[..., 1, 0])
    locked = cos_pitch < _GIMBAL_LOCK_RAD
    pitch = np.arctan2(-m[..., 2, 0], cos_pitch)
    roll = np.where(locked, 0.0, np.arctan2(m[..., 2, 1], m[..., 2, 2]))
    yaw_free = np.arctan2(m[..., 1, 0], m[..., 0, 0])
    yaw_locked = np.arctan2(-m[..., 0, 1], m[..., 1, 1])
    return np.stack([roll, pitch, np.where(locked, yaw_locked, yaw_free)], axis=-1)


def from_rotvec(v: npt.ArrayLike) -> Array:
    """Return the quaternions [..., 4] of rotation vectors [..., 3]: axis times angle in radians."""
    v = np.asarray(v, dtype=np.float64)
    if v.ndim == 1:
        return scalar.from_rotvec(v)
    angle = np.linalg.norm(v, axis=-1, keepdims=True)
    small = angle < _SMALL_ANGLE_RAD
    safe = np.where(small, 1.0, angle)
    scale = np.where(small, 0.5 - angle**2 / 48.0, np.sin(0.5 * safe) / safe)
    return normalize(np.concatenate([scale * v, np.cos(0.5 * angle)], axis=-1))


def to_rotvec(q: npt.ArrayLike) -> Array:
    """Return the rotation vectors [..., 3] of quaternions: axis times angle, at most pi radians."""
    q = np.asarray(q, dtype=np.float64)
    if q.ndim == 1:
        return scalar.to_rotvec(q)
    q = normalize(q)
    sine = np.linalg.norm(q[..., :3], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, q[..., 3:4])
    small = sine < _SMALL_ANGLE_RAD
    scale = np.where(small, 2.0, angle / np.where(small, 1.0, sine))
    return np.asarray(scale * q[..., :3])


def to_matrix(q: npt.ArrayLike) -> Array:
    """Return the rotation matrices [..., 3, 3] of unit quaternions [..., 4]."""
    x, y, z, w = np.moveaxis(np.asarray(q, dtype=np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def angle_between(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return the angle of the rotation that takes `a` to `b`: [...] radians within [0, pi]."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim == b.ndim == 1:
        return np.asarray(scalar.angle_between(a, b))
    q = multiply(b, conjugate(a))
    return np.asarray(2.0 * np.arctan2(np.linalg.norm(q[..., :3], axis=-1), np.abs(q[..., 3])))


def slerp(a: npt.ArrayLike, b: npt.ArrayLike, t: npt.ArrayLike) -> Array:
    """Return the rotation at a fraction of the shortest turn from one rotation to another.

    Two rotations 180 degrees apart have two shortest turns; the one of `to_rotvec` is always taken.

    Args:
        a: quaternions [..., 4] at t = 0.
        b: quaternions [..., 4] at t = 1.
        t: the fraction, a number or an array [...]; values outside [0, 1] extrapolate.
    """
    t = np.asarray(t, dtype=np.float64)
    t = t[..., None] if t.ndim else t
    return multiply(from_rotvec(t * to_rotvec(multiply(b, conjugate(a)))), a)
