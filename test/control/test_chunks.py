# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From deltas to goals in time: anchoring, late rows, blending, grippers, pose history."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from evla_ros.control.chunk_check import chunk_problem
from evla_ros.control.chunk_scheduler import ChunkScheduler
from evla_ros.control.gripper import GripperSwitch
from evla_ros.control.limits import LimitValues
from evla_ros.control.pose_history import PoseHistory
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import Pose, distance, rotation
from evla_ros.policy.types import Chunk

VALUES = LimitValues.of(load_embodiment("tabletop_arm").arms[0].limits)
HOME = Pose.from_xyz_rpy([0.45, 0.0, 0.3], [3.1, 0.0, 0.0])
TICK = 100_000_000
T0 = 10_000_000_000


def forward(step_m: float = 0.02, rows: int = 8) -> np.ndarray:
    actions = np.zeros((rows, 7))
    actions[:, 0], actions[:, 6] = step_m, 1.0
    return actions


def scheduler(**settings: float) -> ChunkScheduler:
    return ChunkScheduler(ControlSettings(**settings), TICK)


def accept(
    s: ChunkScheduler, actions: np.ndarray, now_ns: int, stamp_ns: int = T0, anchor: Pose = HOME
) -> int:
    return s.accept(Chunk(stamp_ns, actions), [anchor], [HOME], [VALUES], now_ns)


def test_a_chunk_starts_where_the_arm_was_at_the_image() -> None:
    s = scheduler(blend_s=0.0)
    anchor = Pose.from_xyz_rpy([0.5, 0.1, 0.2], [0, 0, 0])
    assert accept(s, forward(), T0 + TICK * 5 // 2, anchor=anchor) == 2
    np.testing.assert_allclose(s.goal(0, T0 + TICK * 5 // 2).position_m, [0.55, 0.1, 0.2])
    np.testing.assert_allclose(s.goal(0, T0 + TICK * 30).position_m, [0.66, 0.1, 0.2])


def test_a_chunk_that_came_too_late_is_not_taken() -> None:
    s = scheduler()
    assert accept(s, forward(), T0 + 8 * TICK) == 8
    assert not s.active


def test_the_lag_of_the_executor_is_made_up_for() -> None:
    s = scheduler(blend_s=0.0, executor_lag_s=0.1)
    accept(s, forward(), T0)
    np.testing.assert_allclose(s.goal(0, T0 + TICK).position_m[0], 0.45 + 0.04)


def test_blending_is_smooth_and_on_the_rotation_group() -> None:
    s = scheduler(blend_s=0.2)
    turning = forward(0.0)
    turning[:, 5] = 0.19
    accept(s, forward(), T0)
    accept(s, turning, T0 + 4 * TICK, stamp_ns=T0 + 4 * TICK)
    before = s.goal(0, T0 + 4 * TICK)
    np.testing.assert_allclose(before.position_m[0], 0.45 + 0.08)
    way = [s.goal(0, T0 + 4 * TICK + n * 10_000_000) for n in range(31)]
    steps = [distance(a, b) for a, b in itertools.pairwise(way)]
    assert max(metres for metres, _ in steps) < 0.012
    assert all(abs(np.linalg.norm(p.quaternion_xyzw) - 1) < 1e-12 for p in way)
    np.testing.assert_allclose(way[20].position_m, HOME.position_m, atol=1e-9)


def test_time_left_and_rows_left_run_down() -> None:
    s = scheduler()
    accept(s, forward(), T0)
    assert s.time_left_ns(T0 + 3 * TICK) == 5 * TICK
    assert s.rows_left(T0 + 3 * TICK) == 5
    assert s.rows_left(T0 + 99 * TICK) == 0
    s.drop()
    assert not s.active
    assert s.time_left_ns(T0) == 0


def test_a_gripper_switches_with_hysteresis() -> None:
    switch = GripperSwitch(0.6, 0.4)
    assert switch.update(0.5) is None
    commands = [switch.update(v) for v in (0.61, 0.45, 0.55, 0.39, 0.55, 0.59, 1e9)]
    assert commands == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        (np.zeros((8, 6)), "shape [8, 6]"),
        (np.zeros((7, 7)), "shape [7, 7]"),
        (np.zeros(56), "shape [56]"),
        (np.full((8, 7), np.nan), "56 numbers are not finite"),
        (np.array([["a"]]), "not an array of numbers"),
        (None, "NoneType"),
    ],
)
def test_a_broken_chunk_is_named(actions: np.ndarray, said: str) -> None:
    assert said in chunk_problem(Chunk(T0, actions), 8, 7)


def test_a_usable_chunk_has_no_problem() -> None:
    assert chunk_problem(Chunk(T0, forward()), 8, 7) == ""


def test_the_history_interpolates_between_poses() -> None:
    history = PoseHistory()
    assert history.add(T0, HOME)
    end = Pose(
        HOME.position_m + np.array([0.1, 0, 0]),
        rotation.multiply(rotation.from_rpy([0, 0, 1.0]), HOME.quaternion_xyzw),
    )
    assert history.add(T0 + TICK, end)
    middle = history.at(T0 + TICK // 4, TICK)
    assert middle is not None
    np.testing.assert_allclose(middle.position_m[0], 0.475)
    assert distance(HOME, middle)[1] == pytest.approx(0.25)
    assert history.latest_before(T0 + TICK - 1) is HOME


def test_the_history_does_not_invent() -> None:
    history = PoseHistory(span_ns=10 * TICK)
    assert history.at(T0, TICK) is None
    history.add(T0, HOME)
    assert history.at(T0 - 1, TICK) is None
    assert history.at(T0 + TICK, TICK) is HOME
    assert history.at(T0 + TICK + 1, TICK) is None
    assert not history.add(T0, HOME)
    assert not history.add(T0 - 5, HOME)
    history.add(T0 + 3 * TICK, HOME)
    assert history.at(T0 + TICK, 2 * TICK) is None
    history.add(T0 + 20 * TICK, HOME)
    assert len(history) == 1
