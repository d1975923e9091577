# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a world must bring: a scene, a grammar, predicates and an expert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.sim.experts.style import Style
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.grammar import Grammar
from evla_ros.sim.tasks.task import Task


class Expert(Protocol):
    """Closed loop from any state: no timers and no memory, so it recovers from whatever happens."""

    def act(self) -> npt.NDArray[np.float64]:
        """Return the action [D] for the world's present state."""


@dataclass(frozen=True)
class TaskSuite:
    """The tasks of one world.

    Attributes:
        grammar: every instruction of the world.
        make_scene: returns what knows the objects of a compiled model, such as a `TableScene`.
        feasible: whether a task makes sense in the present state (its objects are here, in reach).
        succeeded: whether a task is solved in the present state; False when its objects are absent.
        expert: returns the scripted expert of a task.
        found_done: families that an episode of another task may find already done.
        limit_s: time that a task may take.
        equal_shares: a dataset holds every family equally often, one family after the other, and
            only demonstrations that succeed (a world whose families are scenes of their own).
    """

    grammar: Grammar
    make_scene: Callable[[mujoco.MjModel], Any]
    feasible: Callable[[Simulation, Task], bool]
    succeeded: Callable[[Simulation, Task], bool]
    expert: Callable[[Simulation, Task, Style], Expert]
    found_done: tuple[str, ...] = ()
    limit_s: float = 15.0
    equal_shares: bool = False

    def any_solved(self, sim: Simulation, task: Task) -> bool:
        """Return whether the task, or another one that should not be, is already solved."""
        tasks = (*self.grammar.tasks, task)
        counts = [t for t in tasks if t.family not in self.found_done or t.key == task.key]
        return any(self.succeeded(sim, t) for t in counts)
