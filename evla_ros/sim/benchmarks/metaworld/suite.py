# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The 50 tasks as the task suite of a world: a family each, judged by Meta-World itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.benchmarks.metaworld import environment as env
from evla_ros.sim.benchmarks.metaworld.tasks import TASKS
from evla_ros.sim.experts.style import Style
from evla_ros.sim.tasks.grammar import Family, Grammar
from evla_ros.sim.tasks.suite import TaskSuite
from evla_ros.sim.tasks.task import Task


class ScriptedExpert:
    """Meta-World's own expert, from its own observation; it has one style."""

    def __init__(self, world: Any, task: Task, _style: Style | None = None) -> None:
        self._world, self._expert = world, env.make_expert(task.family)

    def act(self) -> Array:
        """Return the action [7] for the world's present state."""
        action = env.expert_action(self._expert, self._world.observation)
        return from_metaworld(action)


def to_metaworld(action: Array) -> Array:
    """Return Meta-World's action [4] in -1..1 of one of ours [7]; its gripper closes at 1."""
    return np.clip(np.append(action[:3] / env.STEP_M, 1.0 - 2.0 * action[6]), -1.0, 1.0)


def from_metaworld(action: Array) -> Array:
    """Return our action [7] of one of Meta-World's [4]: metres, no rotation, opening 1 to 0."""
    return np.concatenate([action[:3] * env.STEP_M, np.zeros(3), [(1.0 - action[3]) / 2.0]])


def _succeeded(world: Any, task: Task) -> bool:
    return bool(world.succeeded(task))


SUITE = TaskSuite(
    grammar=Grammar([Family(t.name, (t.instruction,), {}) for t in TASKS.values()], ()),
    make_scene=lambda _model: None,
    feasible=lambda _world, _task: False,  # the scene of a task holds no other
    succeeded=_succeeded,
    expert=ScriptedExpert,
    limit_s=env.MOST_STEPS / env.RATE_HZ,
    equal_shares=True,
)
