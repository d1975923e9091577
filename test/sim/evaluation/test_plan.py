# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from evla_ros.errors import EvlaError
from evla_ros.sim.evaluation.plan import plan_episodes
from evla_ros.sim.worlds import make_suite

GRAMMAR = make_suite("tabletop_arm").grammar


def test_every_family_gets_the_same_seeds() -> None:
    plan = plan_episodes(GRAMMAR, ["all"], 3, 5)
    assert {p.label for p in plan} == set(GRAMMAR.families)
    assert all([p.seed for p in plan if p.label == f] == [5, 6, 7] for f in GRAMMAR.families)


def test_held_out_plays_held_out_combinations_only() -> None:
    plan = plan_episodes(GRAMMAR, ["held-out"], 20, 0)
    assert {p.task.key for p in plan} == GRAMMAR.held_out
    assert all("held out" in p.label for p in plan)


def test_an_instruction_in_any_wording() -> None:
    (planned,) = plan_episodes(GRAMMAR, ["pick up the red block"], 1, 0)
    assert planned.task.key == ("lift", "red")


@pytest.mark.parametrize(
    ("tasks", "episodes", "seed", "hint"),
    [
        (["lfit"], 1, 0, "did you mean 'lift'"),
        (["lift the rde block"], 1, 0, "did you mean 'lift the red block'"),
        (["all"], 0, 0, "at least 1"),
        (["all"], 1, -1, "0 or more"),
    ],
)
def test_mistakes_are_named(tasks: list[str], episodes: int, seed: int, hint: str) -> None:
    with pytest.raises(EvlaError, match=hint):
        plan_episodes(GRAMMAR, tasks, episodes, seed)
