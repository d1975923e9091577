# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from evla_ros.embodiment import load_embodiment, proprio_layout
from evla_ros.geometry.pose import Pose
from evla_ros.sim.errors import SimError
from evla_ros.sim.experts.body import DOWN_XYZW
from evla_ros.sim.scenes.blocks import COLOURS, HALF_M
from evla_ros.sim.world import World
from evla_ros.sim.worlds import make_suite, make_world


def hold(world: World) -> np.ndarray:
    return np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], len(world.arms))


def _absent_block(world: World) -> None:
    world.reset(0, "lift the red block")
    (absent,) = set(COLOURS) - set(world.scene.colours)
    world.scene.block(world.data, absent)


def physics(world: World) -> np.ndarray:
    return world.save_state().physics


def test_same_seed_same_bits(tabletop: World) -> None:
    def run() -> np.ndarray:
        task = tabletop.reset(11, "lift")
        states = [physics(tabletop)]
        expert = tabletop.suite.expert(tabletop, task, _style())
        for _ in range(25):
            tabletop.apply(expert.act())
            tabletop.tick()
            states.append(physics(tabletop))
        return np.concatenate(states)

    first = run()
    tabletop.reset(12)
    assert np.array_equal(first, run())


def test_a_second_world_gives_the_same_bits(tabletop: World) -> None:
    other = make_world("tabletop_arm")
    for seed in range(5):
        assert tabletop.reset(seed) == other.reset(seed)
        tabletop.step(0.3)
        other.step(0.3)
        assert np.array_equal(physics(tabletop), physics(other))


def test_two_arms_repeat_bit_for_bit(humanoid: World) -> None:
    runs = []
    for _ in range(2):
        task = humanoid.reset(21, "hand_over")
        expert = humanoid.suite.expert(humanoid, task, _style())
        for _ in range(20):
            humanoid.apply(expert.act())
            humanoid.tick()
        runs.append(physics(humanoid))
        humanoid.reset(22)
    assert np.array_equal(runs[0], runs[1])


def test_arms_are_commanded_apart(humanoid: World) -> None:
    humanoid.reset(1)
    before = [arm.pose(humanoid.data).position_m for arm in humanoid.arms]
    action = hold(humanoid)
    action[7:10] = [0.0, -0.03, 0.02]
    humanoid.apply(action)
    humanoid.step(0.5)
    after = [arm.pose(humanoid.data).position_m for arm in humanoid.arms]
    assert after[0] == pytest.approx(before[0], abs=0.002)
    assert after[1] - before[1] == pytest.approx([0.0, -0.03, 0.02], abs=0.003)
    layout = proprio_layout(humanoid.embodiment)
    assert humanoid.proprio().shape == (layout.size,)
    assert humanoid.proprio()[layout.slice_of("right_ee_position")] == pytest.approx(
        after[1], abs=1e-6
    )


def test_different_seeds_differ(tabletop: World) -> None:
    starts = []
    for seed in range(6):
        tabletop.reset(seed)
        starts.append(tuple(physics(tabletop)))
    assert len(set(starts)) == 6


def test_step_advances_time_by_what_was_asked(tabletop: World) -> None:
    tabletop.reset(0)
    assert tabletop.time_ns == 0
    for _ in range(10):
        tabletop.step(0.02)
    tabletop.tick()
    assert tabletop.time_ns == 300_000_000


def test_proprio_matches_the_embodiment_layout(tabletop: World) -> None:
    tabletop.reset(3)
    layout = proprio_layout(tabletop.embodiment)
    values = tabletop.proprio()
    assert values.shape == (layout.size,)
    pose = tabletop.arms[0].pose(tabletop.data)
    assert values[layout.slice_of("arm_ee_position")] == pytest.approx(pose.position_m, abs=1e-6)
    assert values[layout.slice_of("arm_ee_quaternion")] == pytest.approx(
        pose.quaternion_xyzw, abs=1e-6
    )
    assert values[-1] == pytest.approx(1.0, abs=0.05)


def test_a_goal_is_reached_within_limits(tabletop: World) -> None:
    tabletop.reset(4)
    arm = tabletop.arms[0]
    goal = Pose(np.array([0.45, -0.15, 0.25]), DOWN_XYZW)
    tabletop.command("arm", goal, 1.0)
    limits = tabletop.embodiment.arms[0].limits
    last = arm.pose(tabletop.data).position_m
    for _ in range(75):
        tabletop.step(0.02)
        now = arm.pose(tabletop.data).position_m
        assert np.linalg.norm(now - last) <= limits.max_speed_m_s * 0.02 * 1.3
        last = now
    assert last == pytest.approx(goal.position_m, abs=0.004)


def test_an_unreachable_goal_is_approached_never_teleported_to(tabletop: World) -> None:
    tabletop.reset(5)
    arm = tabletop.arms[0]
    goal = np.array([1.6, 0.0, 0.3])
    tabletop.command("arm", Pose(goal, DOWN_XYZW))
    start = last = arm.pose(tabletop.data).position_m
    for _ in range(150):
        tabletop.step(0.02)
        now = arm.pose(tabletop.data).position_m
        assert np.linalg.norm(now - last) < 0.03
        last = now
    assert np.linalg.norm(goal - last) < np.linalg.norm(goal - start) - 0.2
    low, high = tabletop.model.jnt_range[:7].T
    joints = tabletop.data.qpos[arm.qpos]
    assert np.all((joints > low - 0.02) & (joints < high + 0.02))


def test_effort_is_limited_when_pressing_on_the_table(tabletop: World) -> None:
    tabletop.reset(6)
    arm = tabletop.arms[0]
    tabletop.command("arm", Pose(np.array([0.36, 0.0, -0.3]), DOWN_XYZW), 0.0)
    tabletop.step(2.0)
    assert arm.pose(tabletop.data).position_m[2] > 0.0
    motors = tabletop.model.actuator_forcerange[:7, 1]
    assert np.all(np.abs(tabletop.data.actuator_force[:7]) <= motors + 1e-9)


def test_a_lifted_block_falls_when_released(tabletop: World) -> None:
    task = tabletop.reset(7, "lift")
    expert = tabletop.suite.expert(tabletop, task, _style())
    for _ in range(40):
        tabletop.apply(expert.act())
        tabletop.tick()
    colour = task.slots[0]
    assert tabletop.scene.block(tabletop.data, colour)[2] > HALF_M + 0.06
    tabletop.apply(hold(tabletop))
    tabletop.step(1.0)
    assert tabletop.scene.block(tabletop.data, colour)[2] == pytest.approx(HALF_M, abs=0.002)


def test_actions_that_are_not_finite_are_refused_and_counted(tabletop: World) -> None:
    tabletop.reset(8)
    goal = tabletop.arms[0].goal
    bad = hold(tabletop)
    bad[2] = np.nan
    assert not tabletop.apply(bad)
    assert not tabletop.command("arm", None, float("inf"))
    assert tabletop.rejected_commands == 2
    assert tabletop.arms[0].goal is goal


def test_the_last_goal_is_tracked_when_commands_stop(tabletop: World) -> None:
    tabletop.reset(9)
    goal = Pose(np.array([0.40, 0.10, 0.30]), DOWN_XYZW)
    tabletop.command("arm", goal)
    tabletop.step(0.1)
    tabletop.step(2.0)
    reached = tabletop.arms[0].pose(tabletop.data).position_m
    assert reached == pytest.approx(goal.position_m, abs=0.004)


def test_state_round_trip_is_exact(tabletop: World) -> None:
    task = tabletop.reset(10, "stack")
    expert = tabletop.suite.expert(tabletop, task, _style())
    for _ in range(12):
        tabletop.apply(expert.act())
        tabletop.tick()
    saved = tabletop.save_state()
    ends = []
    for _ in range(2):
        tabletop.load_state(saved)
        for _ in range(8):
            tabletop.apply(expert.act())
            tabletop.tick()
        ends.append(physics(tabletop))
    assert np.array_equal(ends[0], ends[1])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda w: w.reset(0, "lift the rad block"), "lift the red block"),
        (lambda w: w.arm("amr"), "'arm'"),
        (lambda w: w.apply(np.zeros(6)), "[7]"),
        (lambda w: w.images(["wirst"]), "wrist"),
        (lambda _: make_world("tabletop"), "tabletop_arm"),
        (lambda _: make_world("tabletop_arm", load_embodiment("humanoid_upper_body")), "left"),
        (lambda _: make_suite("kitchen"), "humanoid_upper_body"),
        (_absent_block, "this scene; it has"),
    ],
)
def test_mistakes_name_the_fix(tabletop: World, make, words: str) -> None:
    with pytest.raises(SimError, match=words.replace("[", r"\[")):
        make(tabletop)


def _style():
    from evla_ros.sim.experts.style import Style

    return Style()
