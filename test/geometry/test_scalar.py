# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One rotation and many rotations give the same numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evla_ros.geometry import rotation

NUMBERS = st.floats(-7.0, 7.0)
VECTORS = st.lists(NUMBERS, min_size=3, max_size=3).map(np.array)
QUATERNIONS = (
    st.lists(st.floats(-1, 1), min_size=4, max_size=4)
    .map(np.array)
    .filter(lambda q: np.max(np.abs(q)) > 1e-3)
    .map(rotation.normalize)
)


def many(function: object, *arguments: np.ndarray) -> np.ndarray:
    return function(*[np.stack([a, a]) for a in arguments])[0]


@given(a=QUATERNIONS, b=QUATERNIONS, v=VECTORS)
def test_single_and_broadcast_agree(a: np.ndarray, b: np.ndarray, v: np.ndarray) -> None:
    for function, arguments in (
        (rotation.normalize, (a * 3.0,)),
        (rotation.multiply, (a, b)),
        (rotation.rotate, (a, v)),
        (rotation.from_rpy, (v,)),
        (rotation.from_rotvec, (v,)),
        (rotation.to_rotvec, (a,)),
        (rotation.angle_between, (a, b)),
    ):
        alone, together = function(*arguments), many(function, *arguments)
        if function is not rotation.to_rotvec and alone.shape == (4,) and abs(alone[3]) < 1e-9:
            continue  # half a turn: both signs are right
        if function is rotation.to_rotvec and abs(a[3]) < 1e-9:
            continue
        np.testing.assert_allclose(alone, together, atol=1e-9)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-7, 1e-3, 3.0, math.pi - 1e-9])
def test_rotation_vectors_go_round(angle: float) -> None:
    v = np.array([0.0, angle, 0.0])
    np.testing.assert_allclose(rotation.to_rotvec(rotation.from_rotvec(v)), v, atol=1e-12)
