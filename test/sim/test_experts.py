# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from evla_ros.sim.experts.rollout import counterfactual, run_expert
from evla_ros.sim.experts.style import Style
from evla_ros.sim.world import World
from evla_ros.sim.worlds import SUITES, make_suite

CASES = [(name, family) for name in sorted(SUITES) for family in make_suite(name).grammar.families]
HELD_OUT = [
    (name, task) for name in sorted(SUITES) for task in make_suite(name).grammar.held_out_tasks
]
HARD = [
    ("tabletop_arm", "lift"),
    ("tabletop_arm", "push"),
    ("tabletop_arm", "stack"),
    ("tabletop_arm", "put_in_bowl"),
    ("humanoid_upper_body", "hand_over"),
    ("humanoid_upper_body", "lift_tray"),
    ("humanoid_upper_body", "put_on_plate"),
]


@pytest.fixture
def worlds(tabletop: World, humanoid: World, mobile: World) -> dict[str, World]:
    return {
        "tabletop_arm": tabletop,
        "humanoid_upper_body": humanoid,
        "mobile_manipulator": mobile,
    }


@pytest.mark.parametrize(("name", "family"), CASES)
def test_expert_solves_every_seed(worlds: dict[str, World], name: str, family: str) -> None:
    world = worlds[name]
    for seed in range(1000, 1004):
        task = world.reset(seed, family)
        rng = np.random.default_rng(seed)
        ticks = list(run_expert(world, task, Style.sample(rng), rng))
        assert ticks[-1].success, f"seed {seed}: {task.instruction}"
        assert len(ticks) <= (120 if world.base is not None else 80)


@pytest.mark.parametrize(("name", "task"), HELD_OUT, ids=str)
def test_expert_solves_held_out_tasks(worlds: dict[str, World], name: str, task) -> None:
    world = worlds[name]
    world.reset(5, task)
    rng = np.random.default_rng(5)
    assert list(run_expert(world, task, Style(), rng))[-1].success


@pytest.mark.parametrize(("name", "family"), HARD)
def test_expert_recovers_from_trouble(worlds: dict[str, World], name: str, family: str) -> None:
    world, solved = worlds[name], 0
    for seed in range(6):
        task = world.reset(seed, family)
        rng = np.random.default_rng(seed)
        style = Style.sample(rng, noise=0.4, disturbance=0.05)
        solved += list(run_expert(world, task, style, rng, max_ticks=200))[-1].success
    assert solved >= 5


def test_expert_takes_over_in_the_middle_of_another_task(world: World) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        first = world.reset(seed)
        expert = world.suite.expert(world, first, Style.sample(rng))
        for _ in range(int(rng.integers(3, 30))):
            world.apply(expert.act())
            world.tick()
            if world.succeeded():
                break
        others = [
            task
            for task in world.suite.grammar.tasks
            if task.key != first.key
            and world.suite.feasible(world, task)
            and not world.succeeded(task)
        ]
        second = others[int(rng.integers(len(others)))]
        ticks = list(run_expert(world, second, Style.sample(rng), rng))
        assert ticks[-1].success, f"seed {seed}: {first.instruction}, then {second.instruction}"


def test_steps_stay_within_the_embodiment(world: World) -> None:
    limits = world.embodiment.arms[0].limits
    for seed, family in enumerate(world.suite.grammar.families):
        task = world.reset(seed, family)
        rng = np.random.default_rng(seed)
        for tick in run_expert(world, task, Style.sample(rng), rng):
            for part in tick.label.reshape(-1, 7):
                assert np.linalg.norm(part[:3]) <= limits.max_step_m + 1e-9
                assert np.linalg.norm(part[3:6]) <= limits.max_step_rad + 1e-9
                assert part[6] in (0.0, 1.0)


def test_a_hand_turns_all_the_way_to_what_it_grasps(humanoid: World) -> None:
    for seed in range(40):
        task = humanoid.reset(seed, "hand_over")
        yaw = humanoid.scene.yaw_of(humanoid.data, "bar")
        if abs(yaw) > 0.15:
            break
    giver = 1 if task.slots[0] == "left" else 0
    turned, approach = 0.0, []
    for tick in run_expert(humanoid, task, Style(), np.random.default_rng(0)):
        part = tick.label.reshape(-1, 7)[giver]
        if part[6] < 0.5:
            break
        approach.append(part[5])
        turned += part[5]
    assert turned == pytest.approx(yaw, abs=0.02)
    assert np.mean(np.abs(approach) > 0.1 * abs(yaw) / len(approach)) > 0.6


def test_the_bar_is_handed_over_straight_and_nobody_waits(humanoid: World) -> None:
    for seed in range(8):
        task = humanoid.reset(seed, "hand_over")
        rng = np.random.default_rng(seed)
        still, high = 0, []
        for tick in run_expert(humanoid, task, Style.sample(rng), rng):
            parts = tick.label.reshape(-1, 7)
            still += bool((np.linalg.norm(parts[:, :3], axis=1) < 5e-4).all())
            if humanoid.scene.position_of(humanoid.data, "bar")[2] > 0.15:
                high.append(humanoid.scene.yaw_of(humanoid.data, "bar"))
        assert abs(high[-1]) < 0.1
        assert still <= 4, f"seed {seed}"


def test_labels_are_clean_when_execution_is_noisy(tabletop: World) -> None:
    task = tabletop.reset(1, "reach")
    rng = np.random.default_rng(1)
    ticks = list(run_expert(tabletop, task, Style(noise=0.5), rng))
    assert any(not np.array_equal(t.label, t.executed) for t in ticks)
    expert = tabletop.suite.expert(tabletop, task, Style())
    assert np.array_equal(expert.act(), expert.act())


def test_an_expert_decides_from_the_state_alone(tabletop: World) -> None:
    task = tabletop.reset(2, "put_in_bowl")
    old = tabletop.suite.expert(tabletop, task, Style())
    for _ in range(15):
        tabletop.apply(old.act())
        tabletop.tick()
        fresh = tabletop.suite.expert(tabletop, task, Style())
        assert np.array_equal(old.act(), fresh.act())


def test_counterfactuals_leave_the_world_alone_and_differ(tabletop: World) -> None:
    task = tabletop.reset(3, "lift")
    before = tabletop.save_state()
    here = [
        t
        for t in tabletop.suite.grammar.tasks
        if t.family in ("reach", "lift") and t.slots[0] in tabletop.scene.colours
    ]
    chunks = [counterfactual(tabletop, t, Style(), 8) for t in here]
    after = tabletop.save_state()
    assert np.array_equal(before.physics, after.physics)
    assert all(c.shape == (8, 7) for c in chunks)
    ends = [tuple(np.round(c[:, :3].sum(axis=0), 2)) for c in chunks]
    assert len(set(ends)) >= 3
    own = counterfactual(tabletop, task, Style(), 8)
    expert = tabletop.suite.expert(tabletop, task, Style())
    for k in range(8):
        assert np.array_equal(own[k], expert.act())
        tabletop.apply(own[k])
        tabletop.tick()
