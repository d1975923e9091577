# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run an expert in its world: clean labels, noisy execution (DART), pushes by an unseen hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np

from evla_ros.embodiment import ActionColumns
from evla_ros.geometry.pose import Array
from evla_ros.sim.experts.style import Style
from evla_ros.sim.tasks.task import Task
from evla_ros.sim.world import World

_LEAST_STEP_M = 0.006
_RAD_PER_M = 2.0
_KINDS = ("bump", "drop", "shove")
_LASTS_TICKS = 3
_BUMP_M = 0.025
_SHOVE_M_S = 0.6


@dataclass(frozen=True, eq=False)
class ExpertTick:
    """One tick of a demonstration.

    Attributes:
        label: the expert's action [D] for the state before the tick.
        executed: what the robot was given: the label with noise and disturbances.
        success: whether the task is solved after the tick.
    """

    label: Array
    executed: Array
    success: bool


def run_expert(
    world: World,
    task: Task,
    style: Style,
    rng: np.random.Generator,
    *,
    max_ticks: int | None = None,
    after_success: int = 3,
) -> Iterator[ExpertTick]:
    """Yield ticks until success has lasted.

    The world advances when the next tick is asked for: what the caller renders between two ticks is
    the state that the coming label answers.

    Args:
        world: just reset; is changed.
        task: what the expert does.
        style: how it moves.
        rng: what draws noise and disturbances.
        max_ticks: when it gives up; None: after the time that the world's tasks may take.
        after_success: ticks that success has to last.
    """
    expert = world.suite.expert(world, task, style)
    disturbance = Disturbance(world, rng, style.disturbance)
    solved = 0
    for _ in range(world.most_ticks if max_ticks is None else max_ticks):
        label = expert.act()
        executed = disturbance.on(noisy(label, style, rng, world.columns))
        world.apply(executed)
        world.tick()
        success = world.succeeded(task)
        solved = solved + 1 if success else 0
        yield ExpertTick(label, executed, success)
        if solved >= after_success:
            return


def noisy(label: Array, style: Style, rng: np.random.Generator, columns: ActionColumns) -> Array:
    """Return an action [D] with noise on the steps of its arms, in proportion to them (DART)."""
    if style.noise <= 0.0:
        return label
    parts = np.stack([label[arm] for arm in columns.arms])
    step_m = np.linalg.norm(parts[:, :3], axis=1, keepdims=True)
    scale = style.noise * np.maximum(step_m, _LEAST_STEP_M)
    parts[:, :3] += rng.normal(0.0, 1.0, parts[:, :3].shape) * scale
    parts[:, 3:6] += rng.normal(0.0, 1.0, parts[:, 3:6].shape) * scale * _RAD_PER_M
    return np.concatenate([parts.reshape(-1), label[columns.arms[-1].stop :]])


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


class Disturbance:
    """Bumps the arm, opens the grip or shoves an object now and then; never in the labels."""

    def __init__(self, world: World, rng: np.random.Generator, probability: float) -> None:
        """Take how often it strikes per tick (0: never)."""
        self._world, self._rng, self._probability = world, rng, probability
        self._ticks_left = 0
        self._kind = ""
        self._bump = np.zeros(3)
        joints = range(world.model.njnt)
        free = mujoco.mjtJoint.mjJNT_FREE
        self._objects = [j for j in joints if world.model.jnt_type[j] == free]

    def on(self, action: Array) -> Array:
        """Return what is executed instead of an action [D]; may shove an object in the world."""
        if self._ticks_left == 0 and self._rng.random() < self._probability:
            self._strike()
        if self._ticks_left == 0:
            return action
        self._ticks_left -= 1
        changed = action.copy()
        for arm in self._world.columns.arms:
            if self._kind == "bump":
                changed[arm.start : arm.start + 3] = self._bump
            elif self._kind == "drop":
                changed[arm.stop - 1] = 1.0
        return changed

    def _strike(self) -> None:
        self._ticks_left = _LASTS_TICKS
        self._kind = str(self._rng.choice(_KINDS))
        direction = self._rng.normal(size=3) * [1.0, 1.0, 0.5]
        self._bump = _BUMP_M * direction / np.linalg.norm(direction)
        if self._kind == "shove" and self._objects:
            joint = self._objects[int(self._rng.integers(len(self._objects)))]
            dof = self._world.model.jnt_dofadr[joint]
            push = self._rng.normal(size=2)
            self._world.data.qvel[dof : dof + 2] = _SHOVE_M_S * push / np.linalg.norm(push)
