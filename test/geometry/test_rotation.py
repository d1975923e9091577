# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotations against scipy, and at the places where angles are not unique."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation, Slerp

from evla_ros.geometry import rotation

unit_interval = st.floats(0.0, 1.0)
angles = hnp.arrays(np.float64, 3, elements=st.floats(-4.0, 4.0))
quaternions = (
    hnp.arrays(np.float64, 4, elements=st.floats(-1.0, 1.0))
    .filter(lambda q: np.linalg.norm(q) > 1e-3)
    .map(rotation.normalize)
)
vectors = hnp.arrays(np.float64, 3, elements=st.floats(-10.0, 10.0))


def same_rotation(a: np.ndarray, b: np.ndarray, tolerance_rad: float = 1e-9) -> bool:
    return bool(np.all(rotation.angle_between(a, b) <= tolerance_rad))


@given(quaternions, quaternions, vectors)
def test_multiply_rotate_and_matrix_agree_with_scipy(a, b, v):
    reference = Rotation.from_quat(a) * Rotation.from_quat(b)
    assert same_rotation(rotation.multiply(a, b), reference.as_quat())
    np.testing.assert_allclose(rotation.rotate(a, v), Rotation.from_quat(a).apply(v), atol=1e-12)
    np.testing.assert_allclose(rotation.to_matrix(a), Rotation.from_quat(a).as_matrix(), atol=1e-13)


@given(angles)
def test_rpy_is_fixed_axis_xyz(rpy):
    """Lower-case 'xyz' in scipy means fixed axes, the convention of REP 103."""
    assert same_rotation(rotation.from_rpy(rpy), Rotation.from_euler("xyz", rpy).as_quat())


@given(quaternions)
def test_rpy_round_trip(q):
    rpy = rotation.to_rpy(q)
    assert abs(rpy[1]) <= np.pi / 2
    assert same_rotation(rotation.from_rpy(rpy), q, 1e-7)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("offset_rad", [0.0, 1e-12, 1e-9, 1e-8, 1e-7, 1e-5, 1e-3])
@pytest.mark.parametrize("roll", [0.0, 0.4, -2.5])
def test_gimbal_lock_keeps_the_rotation(sign, offset_rad, roll):
    """At |pitch| = 90 degrees roll and yaw are not unique; the rotation still survives."""
    q = rotation.from_rpy([roll, sign * (np.pi / 2 - offset_rad), 1.1])
    rpy = rotation.to_rpy(q)
    assert np.all(np.isfinite(rpy))
    assert same_rotation(rotation.from_rpy(rpy), q, 3e-8)
    if offset_rad == 0.0:
        assert rpy[0] == 0.0, "at the lock itself roll is 0 and yaw carries the rest"


@given(hnp.arrays(np.float64, 3, elements=st.floats(-1.8, 1.8)))
def test_rotation_vectors_agree_with_scipy(v):
    q = rotation.from_rotvec(v)
    assert same_rotation(q, Rotation.from_rotvec(v).as_quat())
    np.testing.assert_allclose(rotation.from_rotvec(rotation.to_rotvec(q)), q, atol=1e-12)


@pytest.mark.parametrize("angle_rad", [0.0, 1e-12, 1e-8, 1e-6, 1e-3, np.pi - 1e-9, np.pi])
def test_rotation_vector_near_zero_and_near_180_degrees(angle_rad):
    axis = np.array([1.0, -2.0, 2.0]) / 3.0
    v = rotation.to_rotvec(rotation.from_rotvec(angle_rad * axis))
    assert np.linalg.norm(v) == pytest.approx(angle_rad, abs=1e-9)
    aligned = min(np.linalg.norm(v - angle_rad * axis), np.linalg.norm(v + angle_rad * axis))
    assert aligned < 1e-8


def test_180_degrees_takes_the_same_way_every_time():
    """Both ways are shortest; the choice does not depend on the quaternion's sign."""
    a = np.array([0.0, 0.0, 0.0, 1.0])
    b = np.array([0.0, 0.0, 1.0, 0.0])
    halfway = rotation.slerp(a, b, 0.5)
    assert rotation.angle_between(a, halfway) == pytest.approx(np.pi / 2)
    np.testing.assert_array_equal(halfway, rotation.slerp(-a, b, 0.5))


@given(quaternions, quaternions, unit_interval)
def test_slerp_is_the_shortest_way(a, b, t):
    total = rotation.angle_between(a, b)
    middle = rotation.slerp(a, b, t)
    assert rotation.angle_between(a, middle) == pytest.approx(t * total, abs=1e-7)
    assert rotation.angle_between(middle, b) == pytest.approx((1 - t) * total, abs=1e-7)
    if total < np.pi - 1e-3:
        reference = Slerp([0.0, 1.0], Rotation.from_quat([a, b]))(t)
        assert same_rotation(middle, reference.as_quat(), 1e-7)


@given(quaternions, quaternions)
def test_a_quaternion_and_its_negative_are_one_rotation(a, b):
    assert rotation.angle_between(a, -a) == pytest.approx(0.0, abs=1e-12)
    assert rotation.angle_between(a, b) == pytest.approx(rotation.angle_between(-a, b), abs=1e-9)
    assert rotation.normalize(-a)[3] >= 0.0


def test_functions_broadcast_over_leading_axes():
    rng = np.random.default_rng(0)
    q = rotation.normalize(rng.normal(size=(5, 3, 4)))
    for function, shape in (
        (rotation.to_rpy, (5, 3, 3)),
        (rotation.to_rotvec, (5, 3, 3)),
        (rotation.to_matrix, (5, 3, 3, 3)),
        (rotation.conjugate, (5, 3, 4)),
    ):
        batch = function(q)
        assert batch.shape == shape
        np.testing.assert_allclose(batch[4, 2], function(q[4, 2]), atol=1e-12)
    assert rotation.slerp(q[0], q[1], np.array([0.0, 0.5, 1.0])).shape == (3, 4)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_normalize_survives_extreme_lengths(scale):
    q = rotation.normalize(scale * np.array([1.0, 2.0, 3.0, 4.0]))
    assert np.linalg.norm(q) == pytest.approx(1.0)
