# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from evla_ros.sim.experts.rollout import counterfactual, run_expert
from evla_ros.sim.experts.style import Style
from evla_ros.sim.world import World
from evla_ros.sim.worlds import make_suite

FAMILIES = sorted(make_suite("tabletop_arm").grammar.families)


@pytest.mark.parametrize("family", FAMILIES)
def test_expert_solves_every_seed(tabletop: World, family: str) -> None:
    for seed in range(1000, 1005):
        task = tabletop.reset(seed, family)
        rng = np.random.default_rng(seed)
        ticks = list(run_expert(tabletop, task, Style.sample(rng), rng))
        assert ticks[-1].success, f"seed {seed}: {task.instruction}"
        assert len(ticks) <= 80


@pytest.mark.parametrize("task", make_suite("tabletop_arm").grammar.held_out_tasks, ids=str)
def test_expert_solves_held_out_tasks(tabletop: World, task) -> None:
    tabletop.reset(5, task)
    rng = np.random.default_rng(5)
    assert list(run_expert(tabletop, task, Style(), rng))[-1].success


@pytest.mark.parametrize("family", ["lift", "push", "stack", "put_in_bowl"])
def test_expert_recovers_from_noise_and_disturbance(tabletop: World, family: str) -> None:
    solved = 0
    for seed in range(8):
        task = tabletop.reset(seed, family)
        rng = np.random.default_rng(seed)
        style = Style.sample(rng, noise=0.4, disturbance=0.05)
        solved += list(run_expert(tabletop, task, style, rng, max_ticks=200))[-1].success
    assert solved >= 7


def test_steps_stay_within_the_embodiment(tabletop: World) -> None:
    limits = tabletop.embodiment.arms[0].limits
    for seed, family in enumerate(FAMILIES):
        task = tabletop.reset(seed, family)
        rng = np.random.default_rng(seed)
        for tick in run_expert(tabletop, task, Style.sample(rng), rng):
            assert np.linalg.norm(tick.label[:3]) <= limits.max_step_m + 1e-9
            assert np.linalg.norm(tick.label[3:6]) <= limits.max_step_rad + 1e-9
            assert tick.label[6] in (0.0, 1.0)


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
