# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random places on a table that keep their distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_TRIES = 60


def scatter(
    rng: np.random.Generator,
    low_m: Array,
    high_m: Array,
    radii_m: Sequence[float],
    taken: Sequence[tuple[Array, float]] = (),
) -> list[Array] | None:
    """Return one point [2] per radius inside the box so that discs do not overlap; None: no room.

    taken: (centre [2], radius) of discs that are already there.
    """
    discs = list(taken)
    points: list[Array] = []
    for radius in radii_m:
        for _ in range(_TRIES):
            point = rng.uniform(low_m, high_m)
            if all(np.hypot(*(point - c)) >= radius + r for c, r in discs):
                break
        else:
            return None
        discs.append((point, radius))
        points.append(point)
    return points


def yaw_quaternion_wxyz(yaw_rad: float) -> Array:
    """Return MuJoCo's quaternion [4] (w first) of a turn about z."""
    return np.array([np.cos(yaw_rad / 2), 0.0, 0.0, np.sin(yaw_rad / 2)])
