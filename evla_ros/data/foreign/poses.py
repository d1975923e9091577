# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses and deltas from columns of numbers, in every way that datasets write rotations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.data.foreign.map_file import ROTATIONS, DeltaMap, PoseMap, RotationKind, numbers_of
from evla_ros.data.foreign.source import ForeignEpisode, ForeignError
from evla_ros.geometry import rotation
from evla_ros.geometry.pose import Pose

Array = npt.NDArray[np.float64]
_NOT_ORTHOGONAL = 1e-2
_NO_ROTATION = np.array([0.0, 0.0, 0.0, 1.0])


def poses_of(episode: ForeignEpisode, settings: PoseMap, what: str) -> list[Pose]:
    """Return the pose in each frame.

    Args:
        episode: Where the numbers are.
        settings: Position and rotation columns.
        what: Which pose, for messages.
    """
    position = numbers_of(episode, settings.position or "", 3, f"{what}.position")
    position = position * settings.metres
    if settings.rotation is None or settings.rotation_as is None:
        return [Pose(row, _NO_ROTATION) for row in position]
    where = f"{what}.rotation"
    kind = settings.rotation_as
    turns = quaternions(numbers_of(episode, settings.rotation, ROTATIONS[kind], where), kind, where)
    return [Pose(p, q) for p, q in zip(position, turns, strict=True)]


def deltas_of(episode: ForeignEpisode, settings: DeltaMap, what: str) -> Array:
    """Return the numbers of each frame's action [T, 6]: dx dy dz [m], droll dpitch dyaw [rad]."""
    moved = numbers_of(episode, settings.position, 3, f"{what}.position") * settings.metres
    if settings.rotation is None:
        return np.concatenate([moved, np.zeros_like(moved)], axis=1)
    turned = numbers_of(episode, settings.rotation, 3, f"{what}.rotation") * settings.radians
    if settings.rotation_as == "axis_angle":
        turned = rotation.to_rpy(rotation.from_rotvec(turned))
    return np.concatenate([moved, turned], axis=1)


def quaternions(values: Array, kind: RotationKind, where: str) -> Array:
    """Return rotations [T, N], written as `kind`, as quaternions x y z w [T, 4].

    Raises:
        ForeignError: A quaternion of another length than 1, or a matrix that is no rotation.
    """
    if kind == "rpy":
        return rotation.from_rpy(values)
    if kind == "axis_angle":
        return rotation.from_rotvec(values)
    if kind.startswith("quaternion"):
        lengths = np.linalg.norm(values, axis=1)
        if np.abs(lengths - 1.0).max() > _NOT_ORTHOGONAL:
            frame = int(np.abs(lengths - 1.0).argmax())
            raise ForeignError(
                f"{where}: the four numbers of frame {frame} have the length {lengths[frame]:.3g}, "
                "a quaternion has 1"
            )
        return values if kind == "quaternion_xyzw" else np.roll(values, -1, axis=1)
    matrices = _matrices(values, kind)
    odd = np.abs(matrices @ matrices.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    if odd.max() > _NOT_ORTHOGONAL or (np.linalg.det(matrices) < 0).any():
        raise ForeignError(f"{where}: frame {int(odd.argmax())} holds no rotation matrix")
    return np.stack([quaternion_of_matrix(matrix) for matrix in matrices])


def _matrices(values: Array, kind: str) -> Array:
    """Return [T, 3, 3]; six numbers are the first two rows or columns (Zhou et al. 2019)."""
    if kind == "matrix":
        return values.reshape(-1, 3, 3)
    first, second = values[:, :3], values[:, 3:]
    x = first / np.linalg.norm(first, axis=1, keepdims=True)
    y = second - (x * second).sum(axis=1, keepdims=True) * x
    y = y / np.linalg.norm(y, axis=1, keepdims=True)
    return np.stack([x, y, np.cross(x, y)], axis=1 if kind == "rotation_6d_rows" else 2)


def quaternion_of_matrix(matrix: Array) -> Array:
    """Return the quaternion x y z w of a rotation matrix (Shepperd 1978)."""
    m = matrix
    trace = float(np.trace(m))
    scores = np.array([m[0, 0], m[1, 1], m[2, 2], trace])
    place = int(scores.argmax())
    q = np.empty(4)
    if place == 3:
        q[3] = 1.0 + trace
        q[:3] = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    else:
        i, j, k = place, (place + 1) % 3, (place + 2) % 3
        q[i] = 1.0 + m[i, i] - m[j, j] - m[k, k]
        q[j], q[k] = m[j, i] + m[i, j], m[k, i] + m[i, k]
        q[3] = m[k, j] - m[j, k]
    unit: Array = q / np.linalg.norm(q)
    return unit
