# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations as unit quaternions, float64 arrays [..., 4] in the order x y z w (ROS order).

A rotation acts on column vectors; `multiply(a, b)` is "first b, then a". Every function broadcasts
over leading axes. Roll-pitch-yaw means fixed-axis XYZ angles (REP 103):
R = Rz(yaw) Ry(pitch) Rx(roll).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.geometry import single

Array = npt.NDArray[np.float64]

# A pitch closer than this to +-90 degrees is gimbal lock; the round trip loses no more than that.
_GIMBAL_LOCK_RAD = 1e-8
_SMALL_ANGLE_RAD = 1e-6


def normalize(q: npt.ArrayLike) -> Array:
    """Return q [..., 4] at unit length and with w >= 0, so that each rotation has one quaternion.

    A turn of exactly 180 degrees (w = 0) gets its first non-zero component positive.
    """
    array: Array = np.asarray(q, dtype=np.float64)
    if array.ndim == 1:
        return single.normalize(array)
    array = array / np.max(np.abs(array), axis=-1, keepdims=True)  # no overflow
    array = array / np.linalg.norm(array, axis=-1, keepdims=True)
    x, y, z, w = (array[..., i : i + 1] for i in range(4))
    sign = np.where(w != 0.0, w, np.where(x != 0.0, x, np.where(y != 0.0, y, z)))
    return np.where(sign < 0.0, -array, array)


def multiply(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return the rotation "first b, then a" [..., 4]."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim == b.ndim == 1:
        return single.multiply(a, b)
    av, aw, bv, bw = a[..., :3], a[..., 3:4], b[..., :3], b[..., 3:4]
    vector = aw * bv + bw * av + np.cross(av, bv)
    scalar = aw * bw - np.sum(av * bv, axis=-1, keepdims=True)
    return normalize(np.concatenate([vector, scalar], axis=-1))


def conjugate(q: npt.ArrayLike) -> Array:
    """Return the inverse rotation of the unit quaternion q [..., 4]."""
    conjugated: Array = np.asarray(q, dtype=np.float64) * np.array([-1.0, -1.0, -1.0, 1.0])
    return conjugated


def rotate(q: npt.ArrayLike, v: npt.ArrayLike) -> Array:
    """Return the vectors v [..., 3] rotated by q [..., 4]."""
    q, v = np.asarray(q, dtype=np.float64), np.asarray(v, dtype=np.float64)
    if q.ndim == v.ndim == 1:
        return single.rotate(q, v)
    u, w = q[..., :3], q[..., 3:4]
    t = 2.0 * np.cross(u, v)
    return np.asarray(v + w * t + np.cross(u, t))


def from_rpy(rpy: npt.ArrayLike) -> Array:
    """Return the quaternion of fixed-axis roll, pitch, yaw [..., 3] in radians."""
    rpy = np.asarray(rpy, dtype=np.float64)
    if rpy.ndim == 1:
        return single.from_rpy(rpy)
    half = 0.5 * rpy
    (cr, cp, cy), (sr, sp, sy) = (np.moveaxis(f(half), -1, 0) for f in (np.cos, np.sin))
    x = sr * cp * cy - cr * sp * sy
    y = cr * sp * cy + sr * cp * sy
    z = cr * cp * sy - sr * sp * cy
    w = cr * cp * cy + sr * sp * sy
    return normalize(np.stack([x, y, z, w], axis=-1))


def to_rpy(q: npt.ArrayLike) -> Array:
    """Return fixed-axis roll, pitch, yaw [..., 3] in radians, the pitch within +-pi/2.

    At gimbal lock (|pitch| = pi/2) only roll -+ yaw is defined; roll is then 0 and yaw carries
    the rest, so that `from_rpy(to_rpy(q))` is q everywhere.
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
    """Return the quaternion of the rotation vector v [..., 3] (axis times angle in radians)."""
    v = np.asarray(v, dtype=np.float64)
    if v.ndim == 1:
        return single.from_rotvec(v)
    angle = np.linalg.norm(v, axis=-1, keepdims=True)
    small = angle < _SMALL_ANGLE_RAD
    safe = np.where(small, 1.0, angle)
    scale = np.where(small, 0.5 - angle**2 / 48.0, np.sin(0.5 * safe) / safe)
    return normalize(np.concatenate([scale * v, np.cos(0.5 * angle)], axis=-1))


def to_rotvec(q: npt.ArrayLike) -> Array:
    """Return the rotation vector [..., 3] of q, its length in [0, pi]."""
    q = np.asarray(q, dtype=np.float64)
    if q.ndim == 1:
        return single.to_rotvec(q)
    q = normalize(q)
    sine = np.linalg.norm(q[..., :3], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, q[..., 3:4])
    small = sine < _SMALL_ANGLE_RAD
    scale = np.where(small, 2.0, angle / np.where(small, 1.0, sine))
    return np.asarray(scale * q[..., :3])


def to_matrix(q: npt.ArrayLike) -> Array:
    """Return the rotation matrix [..., 3, 3] of the unit quaternion q [..., 4]."""
    x, y, z, w = np.moveaxis(np.asarray(q, dtype=np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def from_matrix(m: npt.ArrayLike) -> Array:
    """Return the quaternion of the rotation matrix m [..., 3, 3], best-conditioned branch."""
    m = np.asarray(m, dtype=np.float64)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    yx, zy, xz = (
        m[..., 1, 0] + m[..., 0, 1],
        m[..., 2, 1] + m[..., 1, 2],
        m[..., 0, 2] + m[..., 2, 0],
    )
    wx, wy, wz = (
        m[..., 2, 1] - m[..., 1, 2],
        m[..., 0, 2] - m[..., 2, 0],
        m[..., 1, 0] - m[..., 0, 1],
    )
    candidates = np.stack(
        [
            np.stack([1 + xx - yy - zz, yx, xz, wx], axis=-1),
            np.stack([yx, 1 - xx + yy - zz, zy, wy], axis=-1),
            np.stack([xz, zy, 1 - xx - yy + zz, wz], axis=-1),
            np.stack([wx, wy, wz, 1 + xx + yy + zz], axis=-1),
        ],
        axis=-2,
    )  # [..., 4, 4]: each row is 4 * (its own component) * q
    best = np.argmax(np.diagonal(candidates, axis1=-2, axis2=-1), axis=-1)
    return normalize(np.take_along_axis(candidates, best[..., None, None], axis=-2)[..., 0, :])


def angle_between(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Return the angle [...] in radians, in [0, pi], of the rotation that takes a to b."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim == b.ndim == 1:
        return np.asarray(single.angle_between(a, b))
    q = multiply(b, conjugate(a))
    return np.asarray(2.0 * np.arctan2(np.linalg.norm(q[..., :3], axis=-1), np.abs(q[..., 3])))


def slerp(a: npt.ArrayLike, b: npt.ArrayLike, t: npt.ArrayLike) -> Array:
    """Return the rotation at fraction t of the shortest way from a to b (t may extrapolate).

    180 degrees apart there are two shortest ways; the one of `to_rotvec` is taken, always.
    """
    t = np.asarray(t, dtype=np.float64)
    t = t[..., None] if t.ndim else t
    return multiply(from_rotvec(t * to_rotvec(multiply(b, conjugate(a)))), a)
