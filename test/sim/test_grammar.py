# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from evla_ros.sim.errors import SimError
from evla_ros.sim.tasks.grammar import Grammar
from evla_ros.sim.tasks.task import Task
from evla_ros.sim.worlds import SUITES, make_suite


@pytest.fixture(params=sorted(SUITES))
def grammar(request: pytest.FixtureRequest) -> Grammar:
    return make_suite(request.param).grammar


@pytest.mark.parametrize(
    ("world", "families", "held_out"),
    [("tabletop_arm", 8, 4), ("humanoid_upper_body", 8, 4), ("mobile_manipulator", 3, 2)],
)
def test_a_world_has_families_and_held_out_combinations(
    world: str, families: int, held_out: int
) -> None:
    grammar = make_suite(world).grammar
    assert len(grammar.families) >= families
    assert len(grammar.held_out) >= held_out


def test_no_world_is_left_untested() -> None:
    assert set(SUITES) == {"tabletop_arm", "humanoid_upper_body", "mobile_manipulator"}


def test_every_wording_parses_back_to_its_task(grammar: Grammar) -> None:
    for task in grammar.tasks:
        family = grammar.families[task.family]
        for wording in range(len(family.wordings)):
            words = family.task(task.slots, wording).instruction
            assert grammar.parse(words.upper() + ".").key == task.key


def test_instructions_are_unique(grammar: Grammar) -> None:
    assert len({t.instruction for t in grammar.tasks}) == len(grammar.tasks)


def test_nothing_is_done_to_itself(grammar: Grammar) -> None:
    assert all(len(set(t.slots)) == len(t.slots) for t in grammar.tasks)


def test_held_out_tasks_exist_and_share_every_word_with_training(grammar: Grammar) -> None:
    assert {t.key for t in grammar.held_out_tasks} == grammar.held_out
    known = {w for t in grammar.training_tasks for w in t.instruction.split()}
    assert all(set(t.instruction.split()) <= known for t in grammar.held_out_tasks)


def test_random_choice_never_draws_a_held_out_task(grammar: Grammar) -> None:
    rng = np.random.default_rng(0)
    drawn = {grammar.choose(None, rng).key for _ in range(400)}
    assert not drawn & grammar.held_out
    assert {key[0] for key in drawn} == set(grammar.families)


def test_rewording_keeps_the_task(grammar: Grammar) -> None:
    rng = np.random.default_rng(0)
    for task in grammar.tasks[:20]:
        assert grammar.reworded(task, rng).key == task.key


def test_an_unknown_instruction_names_the_nearest() -> None:
    with pytest.raises(SimError, match="did you mean 'lift the green block'"):
        make_suite("tabletop_arm").grammar.parse("lift the gren block")


def test_a_task_object_is_taken_as_it_is() -> None:
    task = Task("lift", ("red",), "grab the red one")
    assert make_suite("tabletop_arm").grammar.choose(task, np.random.default_rng(0)) is task
