# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the numbers of an action or a state are made of: parts of columns, zeros, Euler angles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from evla_ros.data.open_x.columns import Columns
from evla_ros.data.open_x.errors import OpenXError

FloatArray = npt.NDArray[np.float32]
_GIMBAL = 1e-6


class Piece(Protocol):
    """A function from the columns of an episode to some numbers a step, [T, N] float32."""

    def __call__(self, columns: Columns) -> FloatArray:
        """Return the numbers."""
        ...


@dataclass(frozen=True)
class Column:
    """A column, or with `Column(name)[first:stop]` some of its numbers; a scalar is one number."""

    name: str
    part: tuple[int | None, int | None] = (None, None)

    def __getitem__(self, part: slice) -> Column:
        return Column(self.name, (part.start, part.stop))

    def __call__(self, columns: Columns) -> FloatArray:
        """Return the numbers.

        Raises:
            OpenXError: The column is missing, or too narrow.
        """
        values = np.asarray(columns[self.name])
        values = values.reshape(len(values), -1) if values.ndim != 2 else values
        width, first, stop = values.shape[1], *self.part
        least = max(abs(end) for end in (first or 0, stop or 0, 1))
        if width < least:
            raise OpenXError(
                f"dataset {columns.dataset!r}: column {self.name!r} holds {width} numbers a step, "
                f"and numbers {'' if first is None else first}:{'' if stop is None else stop} of "
                "it are read; it is not the published dataset of that name"
            )
        return values[:, slice(first, stop)].astype(np.float32)


@dataclass(frozen=True)
class Constant:
    """The same numbers at every step: zeros where a robot has no such axis."""

    count: int
    value: float = 0.0

    def __call__(self, columns: Columns) -> FloatArray:
        """Return the numbers."""
        return np.full((columns.length, self.count), self.value, dtype=np.float32)


@dataclass(frozen=True)
class Difference:
    """What a column changes by until the next step; nothing after the last one."""

    of: Column

    def __call__(self, columns: Columns) -> FloatArray:
        """Return the numbers."""
        values = self.of(columns)
        return np.concatenate([np.diff(values, axis=0), np.zeros_like(values[:1])])


@dataclass(frozen=True)
class EulerAngles:
    """Roll, pitch and yaw [rad] of a quaternion x, y, z, w: R = Rz(yaw) Ry(pitch) Rx(roll)."""

    quaternion: Column

    def __call__(self, columns: Columns) -> FloatArray:
        """Return the angles."""
        return euler_of_quaternion(self.quaternion(columns))


def euler_of_quaternion(quaternion: FloatArray) -> FloatArray:
    """Return roll, pitch, yaw [T, 3] of quaternions x, y, z, w [T, 4].

    At a pitch of 90 degrees the yaw is 0.
    """
    x, y, z, w = np.moveaxis(quaternion.astype(np.float64), -1, 0)
    r00, r10 = 1 - 2 * (y * y + z * z), 2 * (x * y + z * w)
    r20 = np.clip(2 * (x * z - y * w), -1, 1)
    r01, r02 = 2 * (x * y - z * w), 2 * (x * z + y * w)
    r21, r22 = 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)
    level = np.stack([np.arctan2(r21, r22), -np.arcsin(r20), np.arctan2(r10, r00)], axis=-1)
    side = np.where(r20 < 0, -1.0, 1.0)
    locked = [np.arctan2(-side * r01, -side * r02), -side * np.pi / 2, np.zeros_like(side)]
    upright = np.abs(r20) > 1 - _GIMBAL
    return np.where(upright[..., None], np.stack(locked, axis=-1), level).astype(np.float32)


def joined(pieces: tuple[Piece, ...], columns: Columns) -> FloatArray:
    """Return the numbers of all pieces beside each other, [T, N]."""
    return np.concatenate([piece(columns) for piece in pieces], axis=1)
