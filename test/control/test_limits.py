# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Each limit alone, and what the run-time limits may be."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from evla_ros.control.limits import (
    AccelerationLimit,
    LimitState,
    LimitValues,
    SpeedLimit,
    TrackingErrorLimit,
    WorkspaceBox,
    clip_step,
    goal_limits,
)
from evla_ros.control.limits.motion import arriving_speed, braking_speed, clip_norm
from evla_ros.control.reasons import Reason
from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose, distance

VALUES = LimitValues.of(load_embodiment("tabletop_arm").arms[0].limits)
HOME = Pose.from_xyz_rpy([0.45, 0.0, 0.3], [3.1, 0.0, 0.0])
DT = 0.02


def moved(x: float = 0.0, y: float = 0.0, z: float = 0.0, yaw: float = 0.0) -> Pose:
    return Pose.from_xyz_rpy(HOME.position_m + np.array([x, y, z]), [3.1, 0.0, yaw])


def test_speed_shortens_the_way_and_keeps_its_direction() -> None:
    goal, reason = SpeedLimit(0.5, 2.0).limit(LimitState.at_rest(HOME), moved(x=0.3, y=0.4), DT)
    assert reason is Reason.LIMIT_SPEED
    np.testing.assert_allclose(goal.position_m - HOME.position_m, [0.006, 0.008, 0.0], atol=1e-12)


def test_rotation_speed_goes_the_short_way_round() -> None:
    goal, reason = SpeedLimit(0.5, 2.0).limit(LimitState.at_rest(HOME), moved(yaw=-3.0), DT)
    assert reason is Reason.LIMIT_ROTATION_SPEED
    assert distance(HOME, goal)[1] == pytest.approx(0.04)
    assert distance(goal, moved(yaw=-3.0))[1] == pytest.approx(2.96)


def test_a_goal_within_the_limits_is_not_touched() -> None:
    command = moved(x=0.001)
    goal, reasons = goal_limits(VALUES).limit(
        LimitState(
            HOME, np.array([0.05, 0, 0]), np.zeros(3), np.array([0.05, 0, 0]), np.zeros(3), HOME
        ),
        command,
        DT,
    )
    assert goal is command
    assert reasons == ()


def test_a_jump_is_reached_without_overshoot_and_without_swinging() -> None:
    limit, state, target = AccelerationLimit(VALUES), LimitState.at_rest(HOME), moved(x=0.1)
    way = []
    for _ in range(100):
        goal, _ = limit.limit(state, target, DT)
        velocity = (goal.position_m - state.previous.position_m) / DT
        assert (
            np.linalg.norm(velocity - state.linear_m_s) <= VALUES.max_acceleration_m_s2 * DT + 1e-9
        )
        state = LimitState(goal, velocity, np.zeros(3), np.zeros(3), np.zeros(3), goal)
        way.append(goal.position_m[0] - HOME.position_m[0])
    assert max(way) <= 0.1 + 1e-9
    assert way[-1] == pytest.approx(0.1, abs=1e-6)


def test_the_box_brakes_before_the_wall() -> None:
    box, state = WorkspaceBox(VALUES), LimitState.at_rest(HOME)
    speed = []
    for _ in range(200):
        goal, _ = box.limit(
            state,
            Pose(state.previous.position_m + np.array([0.01, 0, 0]), HOME.quaternion_xyzw),
            DT,
        )
        speed.append((goal.position_m[0] - state.previous.position_m[0]) / DT)
        state = LimitState.at_rest(goal)
    assert goal.position_m[0] == pytest.approx(0.75, abs=1e-6)
    assert np.max(-np.diff(speed)) <= VALUES.max_acceleration_m_s2 / math.sqrt(3) * DT + 1e-9


def test_from_outside_the_box_only_the_way_in_is_open() -> None:
    outside = Pose.from_xyz_rpy([0.77, 0.0, 0.3], [0, 0, 0])
    box, state = WorkspaceBox(VALUES), LimitState.at_rest(outside)
    further, reason = box.limit(state, Pose.from_xyz_rpy([0.78, 0, 0.3], [0, 0, 0]), DT)
    assert further.position_m[0] == 0.77
    assert reason is Reason.LIMIT_WORKSPACE
    inward, reason = box.limit(state, Pose.from_xyz_rpy([0.765, 0, 0.3], [0, 0, 0]), DT)
    assert inward.position_m[0] == 0.765
    assert reason is None
    assert box.outside_m(outside) == pytest.approx(0.02)


@pytest.mark.parametrize("size", [1e-3, 0.05, 1.0, 1e30, 1e308])
def test_one_action_is_clipped_in_its_own_direction(size: float) -> None:
    delta, reason = clip_step(np.array([size, -size, 0.0, 0.0, 0.0, min(size, 3.0)]), VALUES)
    assert np.linalg.norm(delta[:3]) <= VALUES.max_step_m * (1 + 1e-9)
    assert Rotation.from_euler("xyz", delta[3:]).magnitude() <= VALUES.max_step_rad * (1 + 1e-9)
    assert delta[0] == pytest.approx(-delta[1])
    assert (reason is Reason.LIMIT_STEP) == (size > 0.04)


def test_a_blocked_arm_is_anchored_where_it_is() -> None:
    limit = TrackingErrorLimit(0.1, 0.6)
    ahead = LimitState.at_rest(moved(x=0.11))
    blocked = LimitState(ahead.previous, *[np.zeros(3)] * 4, HOME)
    assert limit.limit(blocked, moved(x=0.12), DT) == (HOME, Reason.TRACKING_ERROR)
    near = LimitState(moved(x=0.09), *[np.zeros(3)] * 4, HOME)
    command = moved(x=0.1)
    assert limit.limit(near, command, DT) == (command, None)


@pytest.mark.parametrize("distance_m", [0.0, 1e-6, 1e-3, 0.01, 0.3])
@pytest.mark.parametrize("rule", [braking_speed, arriving_speed])
def test_braking_ends_within_the_distance(
    rule: Callable[[float, float, float], float], distance_m: float
) -> None:
    speed, gone = rule(distance_m, 2.0, DT), 0.0
    while speed > 0:
        gone += speed * DT
        speed -= 2.0 * DT
    assert gone <= distance_m + 1e-12


def test_in_front_of_a_wall_ticks_of_any_length_brake_within_the_acceleration() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        left_m, speed = float(rng.uniform(0.0, 0.3)), 0.0
        for dt_s in rng.choice([1e-7, 88e-6, 1e-3, 0.02, 0.04], 200):
            now = min(braking_speed(left_m, 2.0, dt_s), speed + 2.0 * dt_s)
            assert now >= speed - 2.0 * dt_s - 1e-9
            left_m, speed = left_m - now * dt_s, now
            assert left_m >= -1e-15


def test_clip_norm_survives_numbers_beyond_float64() -> None:
    clipped = clip_norm(np.array([1.7e308, 1.7e308, 1.7e308]), 1.0)
    np.testing.assert_allclose(clipped, 1 / math.sqrt(3))


def test_limits_may_be_tightened() -> None:
    tight = VALUES.tightened({"max_speed_m_s": 0.1, "workspace_max_m": (0.7, 0.4, 0.6)})
    assert tight.max_speed_m_s == 0.1
    assert tight.workspace_max_m == (0.7, 0.4, 0.6)
    assert tight.max_step_m == VALUES.max_step_m


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"max_speed_m_s": 0.6}, "may only be tightened"),
        ({"max_speed_m_s": 0.0}, "max_speed_m_s 0.0"),
        ({"max_speed_m_s": -1.0}, "max_speed_m_s -1.0"),
        ({"max_speed_m_s": math.nan}, "nan"),
        ({"workspace_max_m": (0.8, 0.4, 0.6)}, "may only be tightened"),
        ({"workspace_min_m": (0.1, -0.4, 0.0)}, "may only be tightened"),
        ({"workspace_max_m": (0.1, 0.4, 0.6)}, "not below"),
        ({"workspace_max_m": (0.1, 0.4)}, "3 numbers"),
        ({"max_sped_m_s": 0.1}, "max_speed_m_s"),
    ],
)
def test_limits_are_never_loosened(changes: dict[str, object], said: str) -> None:
    with pytest.raises(EvlaError, match=said):
        VALUES.tightened(changes)
