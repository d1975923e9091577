# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Counterfactual instructions: what the expert would do from here if asked for something else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.sim.experts.rollout import counterfactual
from evla_ros.sim.experts.style import Style
from evla_ros.sim.tasks.task import Task
from evla_ros.sim.world import World


@dataclass(frozen=True, eq=False)
class Relabel:
    """An instruction and the chunk [K, D] that answers it from the state it was asked in."""

    instruction: str
    actions: npt.NDArray[np.float32]


def draw_tasks(
    world: World, own: Task, count: int, rng: np.random.Generator, families: Collection[str] = ()
) -> list[Task]:
    """Draw other tasks that make sense now, none of them held out or solved already.

    Args:
        world: the present state.
        own: the task of the episode; the first drawn task is of its family where there is one.
        count: how many tasks, at most.
        rng: what draws.
        families: families to draw from; none: all.
    """
    grammar = world.suite.grammar
    possible = [
        task
        for task in grammar.training_tasks
        if task.key != own.key
        and (not families or task.family in families)
        and world.suite.feasible(world, task)
        and not world.suite.succeeded(world, task)
    ]
    drawn: list[Task] = []
    while possible and len(drawn) < count:
        families = sorted({task.family for task in possible})
        family = own.family if not drawn and own.family in families else str(rng.choice(families))
        same = [task for task in possible if task.family == family]
        chosen = same[int(rng.integers(len(same)))]
        drawn.append(grammar.reworded(chosen, rng))
        possible = [task for task in possible if task.key != chosen.key]
    return drawn


def relabel(world: World, task: Task, style: Style, steps: int) -> Relabel:
    """Return what the expert of another task would do from the present state, which stays.

    Args:
        world: the present state.
        task: the other task.
        style: how the demonstrator moves; noise is left out.
        steps: how many actions (K).
    """
    calm = Style(style.speed_m_s, style.hover_m, style.carry_m, style.slowdown, noise=0.0)
    actions = counterfactual(world, task, calm, steps)
    return Relabel(task.instruction, actions.astype(np.float32))
