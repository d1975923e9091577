# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the published datasets say about their grippers, made absolute: 1 is open, 0 is closed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
GripperRule = Callable[[FloatArray], FloatArray]  # raw [T] -> opening [T]

_OPEN, _CLOSED = 0.95, 0.05
_MOVES = 0.1


def opening(raw: FloatArray) -> FloatArray:
    """Take the number as it is: it says how far the gripper is to open."""
    return raw


def closedness(raw: FloatArray) -> FloatArray:
    """Take the number from 1: it says how far the gripper is to close."""
    return np.asarray(1 - raw, dtype=np.float32)


def clipped_opening(raw: FloatArray) -> FloatArray:
    """Read positive numbers as open, and negative ones as closed."""
    return np.clip(raw, 0, 1)


def clipped_closedness(raw: FloatArray) -> FloatArray:
    """Read positive numbers as closed, and negative ones as open."""
    return closedness(np.clip(raw, 0, 1))


def settled_opening(raw: FloatArray) -> FloatArray:
    """Return 1 above 0.95 and 0 below 0.05; in between, what is reached next.

    Numbers in between at the end of an episode, after which nothing is reached, take its last one.
    """
    result = np.empty_like(raw)
    reached = raw[-1] if len(raw) else np.float32(0)
    for step in range(len(raw) - 1, -1, -1):
        if raw[step] > _OPEN:
            reached = np.float32(1)
        elif raw[step] < _CLOSED:
            reached = np.float32(0)
        result[step] = reached
    return result


def closing_moves(raw: FloatArray) -> FloatArray:
    """Add up the moves: above 0.1 the gripper closes, below -0.1 it opens, else it stays.

    Before the first move it is the opposite of what that move does; without any move it is open.
    """
    moves = np.where(raw < -_MOVES, 1, np.where(raw > _MOVES, 0, -1))
    moving = np.flatnonzero(moves >= 0)
    if not len(moving):
        return np.ones_like(raw)
    last = np.maximum.accumulate(np.where(moves >= 0, np.arange(len(raw)), -1))
    first = 1 - moves[moving[0]]
    return np.where(last < 0, first, moves[np.maximum(last, 0)]).astype(np.float32)
