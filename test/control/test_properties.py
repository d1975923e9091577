# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever the policy emits: goals stay in the box and under the limits; a stop is a stop."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from control_rig import Rig
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evla_ros.geometry import Pose, distance

NASTY = st.one_of(
    st.sampled_from(
        [0.0, math.nan, math.inf, -math.inf, 1e30, -1e30, 1e308, -1e308, math.pi, -0.0]
    ),
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.floats(-0.2, 0.2),
)


@st.composite
def nasty_chunks(draw: st.DrawFn) -> np.ndarray | None:
    """Return what a broken policy may return for 8 x 7, None for silence."""
    kind = draw(st.sampled_from(["silence", "shape", "numbers", "extremes", "turns", "sane"]))
    if kind == "silence":
        return None
    if kind == "shape":
        shape = draw(st.sampled_from([(0, 7), (7, 8), (8, 6), (8, 14), (8,), (1, 7), (100, 7)]))
        return np.zeros(shape)
    if kind == "extremes":
        size = draw(st.sampled_from([0.05, 1.0, 1e3, 1e30]))
        signs = np.array([(-1.0) ** row for row in range(8)])
        return np.repeat(signs[:, None], 7, axis=1) * size
    if kind == "turns":
        rows = np.zeros((8, 7))
        rows[:, draw(st.integers(3, 5))] = draw(st.sampled_from([math.pi, -math.pi, 3.0, 180.0]))
        return rows
    numbers = st.floats(-0.06, 0.06) if kind == "sane" else NASTY
    return np.array(draw(st.lists(numbers, min_size=56, max_size=56))).reshape(8, 7)


def assert_goals_are_safe(rig: Rig) -> None:
    """Check every consecutive pair of goals of every arm."""
    for index, arm in enumerate(rig.embodiment.arms):
        limits = arm.limits
        low, high = np.array(limits.workspace_min_m), np.array(limits.workspace_max_m)
        previous = None
        for tick in rig.ticks:
            goal = tick.arms[index].goal
            if goal is None:
                previous = None
                continue
            assert np.all(goal.position_m >= low - 1e-9)
            assert np.all(goal.position_m <= high + 1e-9)
            if previous is not None:
                metres, radians = distance(previous, goal)
                assert metres <= limits.max_speed_m_s * 0.02 * (1 + 1e-6)
                assert radians <= limits.max_rotation_rad_s * 0.02 * (1 + 1e-6)
            previous = goal


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chunks=st.lists(nasty_chunks(), min_size=1, max_size=4), follow=st.floats(0.05, 1.0))
def test_whatever_the_policy_emits_goals_are_safe_and_a_stop_stops(
    chunks: list[np.ndarray | None], follow: float
) -> None:
    rig = Rig(follow=follow)
    rig.start()
    emitted = iter(chunks)

    def policy() -> np.ndarray:
        chunk = next(emitted, None)
        return np.zeros((0, 0)) if chunk is None else chunk

    rig.run(policy, 60)
    rig.controller.stop(rig.now_ns)
    where = rig.measured[0]
    held = [tick.arms[0].goal for tick in rig.run(None, int(rig.hold_takes_s(0.14) / 0.02))]
    assert_goals_are_safe(rig)
    # A measured pose, and nothing else, from when the limits let the goal be there.
    assert held[-1] is not None
    assert held[-2] is held[-1]
    assert id(held[-1]) in {id(pose) for pose in rig.reported[0]}
    assert distance(held[-1], where)[0] < rig.settings.max_tracking_error_m


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    corner=st.sampled_from([(0.2, -0.4, 0.0), (0.75, 0.4, 0.6), (0.2, 0.4, 0.6), (0.5, 0.0, 0.3)]),
)
def test_a_random_walk_at_the_wall_stays_inside_and_accelerates_within_bounds(
    seed: int, corner: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(seed)
    rig = Rig(home=Pose.from_xyz_rpy(corner, [3.1, 0.0, 0.0]))
    rig.start()
    rig.run(lambda: rng.uniform(-0.08, 0.08, (8, 7)), 120)
    assert_goals_are_safe(rig)
    limits = rig.embodiment.arms[0].limits
    goals = [tick.arms[0].goal for tick in rig.ticks if tick.moving]
    points = np.array([goal.position_m for goal in goals if goal is not None])
    velocity = np.diff(points, axis=0) / 0.02
    change = np.linalg.norm(np.diff(velocity, axis=0), axis=1) / 0.02
    # Braking at a wall adds at most one axis' share each to what the acceleration limit granted.
    assert np.max(change, initial=0.0) <= math.sqrt(2.0) * limits.max_acceleration_m_s2 * (1 + 1e-6)


@pytest.mark.parametrize("name", ["tabletop_arm", "humanoid_upper_body"])
def test_silence_ends_in_a_hold_within_the_stated_time(name: str) -> None:
    rig = Rig(name=name)
    rig.start()
    once = iter([rig.chunk(0.03)])
    rig.run(lambda: next(once, np.zeros((0, 0))), 130)
    stated_ticks = int((0.8 + rig.settings.settle_s + rig.hold_takes_s(0.1)) / 0.02) + 3
    for index in range(len(rig.homes)):
        tail = [tick.arms[index].goal for tick in rig.ticks[stated_ticks:]]
        assert all(goal is tail[0] for goal in tail)
        assert id(tail[0]) in {id(pose) for pose in rig.reported[index]}
    assert not any(tick.moving for tick in rig.ticks[stated_ticks:])
    assert_goals_are_safe(rig)


@settings(max_examples=25, deadline=None)
@given(speed=st.floats(0.005, 0.05), follow=st.floats(0.1, 0.9))
def test_with_a_dead_pose_source_the_goal_returns_within_the_stated_time(
    speed: float, follow: float
) -> None:
    rig = Rig(follow=follow)
    rig.start()
    rig.run(lambda: rig.chunk(speed), 30)
    rig.poses_on = False
    rig.run(lambda: rig.chunk(speed), 12)
    last_measured = rig.reported[0][-1]
    limits, s = rig.embodiment.arms[0].limits, rig.settings
    far_m = s.max_tracking_error_m + limits.max_speed_m_s * rig.embodiment.arms[0].pose.max_age_s
    rig.run(None, int(rig.hold_takes_s(far_m) / 0.02))
    goals = [tick.arms[0].goal for tick in rig.ticks[30:]]
    steps = [distance(a, b)[0] for a, b in itertools.pairwise(goals)]
    assert max(steps) <= limits.max_speed_m_s * 0.02 * (1 + 1e-6)
    assert distance(goals[-1], last_measured)[0] < 1e-9
    assert_goals_are_safe(rig)
