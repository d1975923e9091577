# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run an expert in its world: clean labels, noisy execution (DART), pushes by an unseen hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.sim.experts.disturbance import Disturbance
from evla_ros.sim.experts.style import Style
from evla_ros.sim.tasks.task import Task
from evla_ros.sim.world import World

Array = npt.NDArray[np.float64]
_NUMBERS_PER_ARM = 7
_LEAST_STEP_M = 0.006
_RAD_PER_M = 2.0


@dataclass(frozen=True, eq=False)
class Tick:
    """One tick: the expert's action [D] for the state before, what was executed, success after."""

    label: Array
    executed: Array
    success: bool


def run_expert(
    world: World,
    task: Task,
    style: Style,
    rng: np.random.Generator,
    *,
    max_ticks: int = 150,
    after_success: int = 3,
) -> Iterator[Tick]:
    """Yield ticks until success has lasted `after_success` ticks.

    The world advances when the next tick is asked for: what the caller renders between two ticks is
    the state that the coming label answers.
    """
    expert = world.suite.expert(world, task, style)
    disturbance = Disturbance(world, rng, style.disturbance)
    solved = 0
    for _ in range(max_ticks):
        label = expert.act()
        executed = disturbance.on(noisy(label, style, rng))
        world.apply(executed)
        world.tick()
        success = world.succeeded(task)
        solved = solved + 1 if success else 0
        yield Tick(label, executed, success)
        if solved >= after_success:
            return


def noisy(label: Array, style: Style, rng: np.random.Generator) -> Array:
    """Return the action with Gaussian noise on its poses, proportional to the step."""
    if style.noise <= 0.0:
        return label
    parts = label.reshape(-1, _NUMBERS_PER_ARM).copy()
    step_m = np.linalg.norm(parts[:, :3], axis=1, keepdims=True)
    scale = style.noise * np.maximum(step_m, _LEAST_STEP_M)
    parts[:, :3] += rng.normal(0.0, 1.0, parts[:, :3].shape) * scale
    parts[:, 3:6] += rng.normal(0.0, 1.0, parts[:, 3:6].shape) * scale * _RAD_PER_M
    return np.asarray(parts.reshape(-1))


def counterfactual(world: World, task: Task, style: Style, steps: int) -> Array:
    """Return what the expert would do from here for another task: actions [steps, D].

    Rolled out on a copied state; the world is left exactly as it was.
    """
    state = world.save_state()
    expert = world.suite.expert(world, task, style)
    actions = np.empty((steps, world.action_dim))
    try:
        for k in range(steps):
            actions[k] = expert.act()
            world.apply(actions[k])
            world.tick()
    finally:
        world.load_state(state)
    return actions
