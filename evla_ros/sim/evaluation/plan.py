# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which episodes an evaluation plays: N seeds per task label, the same for every policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evla_ros.errors import EvlaError, nearest
from evla_ros.sim.tasks.grammar import Grammar
from evla_ros.sim.tasks.task import Task


@dataclass(frozen=True)
class PlannedEpisode:
    """One episode to play.

    Attributes:
        label: what its score is listed under.
        task: a family, an instruction or a task.
        seed: seed of the start state, and of the task when a family is named.
    """

    label: str
    task: str | Task
    seed: int


def plan_episodes(
    grammar: Grammar, tasks: Sequence[str], episodes: int, seed: int
) -> list[PlannedEpisode]:
    """Return the episodes of every task.

    Args:
        grammar: the grammar of the world.
        tasks: families, instructions in any wording, `all` (every family) or `held-out` (by family,
            the combinations that training data never shows).
        episodes: how many per label.
        seed: seed of the first episode; the others follow.

    Raises:
        EvlaError: a task is unknown, or a number is too small.
    """
    if episodes < 1:
        raise EvlaError(f"--episodes {episodes}; at least 1")
    if seed < 0:
        raise EvlaError(f"--seed {seed}; 0 or more")
    plan: list[PlannedEpisode] = []
    for word in tasks:
        for label, choices in _labels(grammar, word):
            plan += [
                PlannedEpisode(label, _choose(choices, seed + i), seed + i) for i in range(episodes)
            ]
    return plan


def _labels(grammar: Grammar, word: str) -> list[tuple[str, Sequence[str | Task]]]:
    if word == "all":
        return [(family, [family]) for family in grammar.families]
    if word == "held-out":
        held = grammar.held_out_tasks
        names = list(dict.fromkeys(task.family for task in held))
        return [(f"{n} (held out)", [t for t in held if t.family == n]) for n in names]
    if word in grammar.families:
        return [(word, [word])]
    if " " not in word.strip():
        known = [*grammar.families, "all", "held-out"]
        raise EvlaError(f"no task {word!r} in this world; {nearest(word, known)}")
    task = grammar.parse(word)
    return [(task.instruction, [task])]


def _choose(choices: Sequence[str | Task], seed: int) -> str | Task:
    return choices[int(np.random.default_rng([seed, 11]).integers(len(choices)))]
