# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses form a group; deltas take one pose to another, whatever the orientation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from evla_ros.geometry import (
    GeometryError,
    Pose,
    apply_delta,
    compose,
    delta_between,
    distance,
    interpolate,
    inverse,
    rotation,
)

poses = st.builds(
    Pose,
    hnp.arrays(np.float64, 3, elements=st.floats(-2.0, 2.0)),
    hnp.arrays(np.float64, 4, elements=st.floats(-1.0, 1.0)).filter(
        lambda q: np.linalg.norm(q) > 1e-3
    ),
)


def assert_same(a: Pose, b: Pose, tolerance: float = 1e-7) -> None:
    metres, radians = distance(a, b)
    assert metres <= tolerance
    assert radians <= tolerance


def matrix(pose: Pose) -> np.ndarray:
    m = np.eye(4)
    m[:3, :3] = Rotation.from_quat(pose.quaternion_xyzw).as_matrix()
    m[:3, 3] = pose.position_m
    return m


@given(poses, poses, poses)
def test_poses_form_a_group(a, b, c):
    assert_same(compose(compose(a, b), c), compose(a, compose(b, c)))
    assert_same(compose(a, inverse(a)), Pose.identity())
    assert_same(compose(inverse(a), a), Pose.identity())
    assert_same(compose(a, Pose.identity()), a)
    np.testing.assert_allclose(matrix(compose(a, b)), matrix(a) @ matrix(b), atol=1e-9)


@given(poses, poses)
def test_delta_takes_start_to_end(start, end):
    assert_same(apply_delta(start, delta_between(start, end)), end)


@given(poses, poses)
def test_delta_rotation_is_in_the_base_frame(start, end):
    delta = delta_between(start, end)
    turn = Rotation.from_quat(end.quaternion_xyzw) * Rotation.from_quat(start.quaternion_xyzw).inv()
    turned = Rotation.from_euler("xyz", delta[3:])
    assert (turn * turned.inv()).magnitude() < 1e-7
    np.testing.assert_allclose(delta[:3], end.position_m - start.position_m)


@pytest.mark.parametrize("pitch", [0.0, 1.48, np.pi / 2, -np.pi / 2])
@pytest.mark.parametrize("roll", [0.0, np.pi, -np.pi + 0.01])
def test_small_turns_give_small_deltas_everywhere(roll, pitch):
    """A difference of Euler triples would jump by 2 pi here; the delta never exceeds the turn."""
    rng = np.random.default_rng(7)
    start = Pose.from_xyz_rpy([0.4, 0.0, 0.2], [roll, pitch, 0.3])
    for turn in rng.normal(scale=0.03, size=(200, 3)):
        turned = rotation.multiply(rotation.from_rotvec(turn), start.quaternion_xyzw)
        end = Pose(start.position_m, turned)
        assert np.max(np.abs(delta_between(start, end)[3:])) <= 1.1 * np.linalg.norm(turn)


def test_a_turn_of_180_degrees_has_a_finite_delta_that_works():
    start = Pose.identity()
    for axis in np.eye(3):
        end = Pose(np.zeros(3), rotation.from_rotvec(np.pi * axis))
        delta = delta_between(start, end)
        assert Rotation.from_euler("xyz", delta[3:]).magnitude() == pytest.approx(np.pi)
        assert_same(apply_delta(start, delta), end)


@given(poses, poses, st.floats(0.0, 1.0))
def test_interpolation_moves_straight_and_turns_the_short_way(a, b, t):
    middle = interpolate(a, b, t)
    metres, radians = distance(a, b)
    assert distance(a, middle)[0] == pytest.approx(t * metres, abs=1e-9)
    assert distance(a, middle)[1] == pytest.approx(t * radians, abs=1e-6)
    assert_same(interpolate(a, b, 0.0), a)
    assert_same(interpolate(a, b, 1.0), b)


@given(poses)
def test_vector_round_trip(pose):
    assert_same(Pose.from_vector(pose.as_vector()), pose)


@pytest.mark.parametrize("centre_rpy", [[np.pi, 0.0, 0.0], [0.0, 0.0, 0.0]])
def test_the_vector_does_not_jump_around_tool_down_and_tool_forward(centre_rpy):
    """As proprio a jump of 2 between two poses a hair apart would be poison to a policy."""
    centre = Pose.from_xyz_rpy(np.zeros(3), centre_rpy)
    rng = np.random.default_rng(3)
    for turn in rng.uniform(-0.8, 0.8, size=(500, 3)):
        q = rotation.multiply(rotation.from_rotvec(turn), centre.quaternion_xyzw)
        assert np.dot(Pose(np.zeros(3), q).as_vector()[3:], centre.as_vector()[3:]) > 0.0


@pytest.mark.parametrize(
    ("position", "quaternion", "named"),
    [
        ([0.0, 0.0], [0, 0, 0, 1], "position"),
        ([0.0, np.nan, 0.0], [0, 0, 0, 1], "position"),
        ([0.0, 0.0, np.inf], [0, 0, 0, 1], "position"),
        ([0.0, 0.0, 0.0], [0, 0, 0, 0], "quaternion"),
        ([0.0, 0.0, 0.0], [0, 0, 1], "quaternion"),
        ([0.0, 0.0, 0.0], [0, 0, np.nan, 1], "quaternion"),
    ],
)
def test_a_bad_pose_is_refused_by_name(position, quaternion, named):
    with pytest.raises(GeometryError, match=named):
        Pose(np.array(position, dtype=float), np.array(quaternion, dtype=float))


@pytest.mark.parametrize("delta", [np.zeros(7), np.full(6, np.nan), [0, 0, 0, 0, 0, np.inf]])
def test_a_bad_delta_is_refused(delta):
    with pytest.raises(GeometryError, match="delta"):
        apply_delta(Pose.identity(), delta)


def test_a_pose_is_immutable_and_keeps_its_own_copy():
    position = np.zeros(3)
    pose = Pose(position, np.array([0.0, 0.0, 0.0, 1.0]))
    position[0] = 1.0
    assert pose.position_m[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        pose.position_m[0] = 2.0
