# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy that follows recorded goal poses, from wherever the arm is."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.geometry import Pose, apply_delta, distance
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.path import PathPolicy
from evla_ros.policy.types import Observation

EMBODIMENT = load_embodiment("tabletop_arm")
TICK_NS = 100_000_000
DOWN = [1.0, 0.0, 0.0, 0.0]


def path_along_x(rows=20, step_m=0.01):
    return np.array([[0.4 + step_m * i, 0.0, 0.2, *DOWN, float(i < 10)] for i in range(rows)])


def observed(x_m, stamp_ns):
    pose = Pose(np.array([x_m, 0.0, 0.2]), np.array(DOWN))
    return Observation(stamp_ns, {}, np.append(pose.as_vector(), 1.0).astype(np.float32), "")


def test_a_chunk_leads_from_the_measured_pose_onto_the_path():
    policy = PathPolicy(path_along_x(), EMBODIMENT)
    chunk = policy.infer(observed(0.35, 0))
    pose = Pose(np.array([0.35, 0.0, 0.2]), np.array(DOWN))
    for k, action in enumerate(chunk.actions):
        pose = apply_delta(pose, action[:6])
        wanted = Pose(np.array([0.4 + 0.01 * k, 0.0, 0.2]), np.array(DOWN))
        assert distance(pose, wanted)[0] < 1e-6
    assert chunk.actions.shape == (EMBODIMENT.action.chunk, 7)


def test_the_path_goes_on_with_time_and_waits_for_an_arm_that_is_held():
    policy = PathPolicy(path_along_x(), EMBODIMENT)
    policy.infer(observed(0.40, 0))
    onward = policy.infer(observed(0.43, 4 * TICK_NS)).actions
    assert onward[0, 0] == pytest.approx(0.01, abs=1e-6), "row 4 comes after row 3"
    policy.reset()
    policy.infer(observed(0.30, 0))
    held = policy.infer(observed(0.30, 10 * TICK_NS)).actions
    assert held[0, 0] == pytest.approx(0.10, abs=1e-6), "still row 0"


def test_equal_rows_pass_with_time_so_that_a_gripper_gets_to_close():
    rows = np.tile(path_along_x(1), (12, 1))
    rows[4:, 7] = 0.0
    policy = PathPolicy(rows, EMBODIMENT)
    assert policy.infer(observed(0.4, 0)).actions[0, 6] == 1.0
    assert policy.infer(observed(0.4, 6 * TICK_NS)).actions[0, 6] == 0.0


def test_the_end_of_the_path_is_held():
    policy = PathPolicy(path_along_x(3), EMBODIMENT)
    for k in range(6):
        chunk = policy.infer(observed(0.42, k * TICK_NS))
    np.testing.assert_allclose(chunk.actions[:, :6], 0.0, atol=1e-6)


@pytest.mark.parametrize("shape", [(0, 8), (5, 7), (5, 16), (8,)])
def test_a_path_that_does_not_fit_is_refused(shape):
    with pytest.raises(PolicyError, match="a path of shape"):
        PathPolicy(np.ones(shape), EMBODIMENT)


def test_a_robot_without_poses_in_its_proprio_is_refused():
    blind = parse_embodiment(EMBODIMENT.text.replace("[ee_pose, gripper]", "[gripper]"))
    with pytest.raises(PolicyError, match="no ee_pose"):
        PathPolicy(path_along_x(), blind)
