# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random points on a table that keep their distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evla_ros.geometry.pose import Array

_TRIES = 60


def scatter(
    rng: np.random.Generator,
    low_m: Array,
    high_m: Array,
    radii_m: Sequence[float],
    occupied: Sequence[tuple[Array, float]] = (),
) -> list[Array] | None:
    """Draw one point per radius so that the discs around them do not overlap.

    Args:
        rng: what draws.
        low_m: corner [2] of the box, smallest x and y.
        high_m: corner [2] of the box, largest x and y.
        radii_m: radii of the discs.
        occupied: (centre [2], radius) in metres of discs that are already there.

    Returns:
        One point [2] in metres per radius; None when a disc finds no room.
    """
    discs = list(occupied)
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
