# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a world must bring: a scene, a grammar, predicates and experts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.sim.experts.expert import Expert
from evla_ros.sim.experts.style import Style
from evla_ros.sim.tasks.grammar import Grammar
from evla_ros.sim.tasks.task import Task

if TYPE_CHECKING:
    from evla_ros.sim.world import World


class Scene(Protocol):
    """The objects of a world: where they may be, what they look like.

    names: phrases for the things that may be here (of the grammar, and parts worth telling apart).
    """

    names: tuple[str, ...]

    def places(self, data: mujoco.MjData) -> dict[str, npt.NDArray[np.float64]]:
        """Return name -> position [3] in metres of the named things that are here."""

    def place(self, data: mujoco.MjData, task: Task, rng: np.random.Generator) -> bool:
        """Put the objects at random places that suit the task; False when they do not fit."""

    def start_episode(self, data: mujoco.MjData) -> None:
        """Remember where things are now (a push is measured from here)."""

    def randomize_look(self, rng: np.random.Generator) -> None:
        """Draw colours, light, table texture and camera pose."""

    def plain_look(self) -> None:
        """Return to the look of the MJCF file."""


class TaskSuite(Protocol):
    """The tasks of one world."""

    grammar: Grammar

    def make_scene(self, model: mujoco.MjModel) -> Any:
        """Return the scene of a compiled model."""

    def feasible(self, world: World, task: Task) -> bool:
        """Return whether a task makes sense in the present scene (objects exist, room)."""

    def succeeded(self, world: World, task: Task) -> bool:
        """Return whether a task is solved in the present state."""

    def any_solved(self, world: World, task: Task) -> bool:
        """Return whether the task, or any that should not be, is solved: then redraw."""

    def expert(self, world: World, task: Task, style: Style) -> Expert:
        """Return the scripted expert of a task."""
