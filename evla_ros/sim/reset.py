# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start an episode: place arms and objects, let them settle, refuse a start that is a solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mujoco
import numpy as np

from evla_ros.geometry.pose import Pose
from evla_ros.sim.errors import SimError
from evla_ros.sim.tasks.task import Task

if TYPE_CHECKING:
    from evla_ros.sim.world import World

_TRIES = 1000
_SETTLE_S = 0.2
_HOME_JITTER_M = np.array([0.05, 0.08, 0.04])


def place_episode(world: World, task: Task, rng: np.random.Generator, randomize: bool) -> Task:
    """Put the world into a fresh start state for a task and return the task.

    Redraws until the task can be done, and neither it nor any other task is already solved; raises
    SimError when no draw will do.
    """
    world.scene.randomize_look(rng)
    if not randomize:
        world.scene.plain_look()  # after the draw, so that the places do not depend on it
    for _ in range(_TRIES):
        mujoco.mj_resetData(world.model, world.data)
        if not world.scene.place(world.data, task, rng):
            continue
        mujoco.mj_kinematics(world.model, world.data)
        if not world.suite.feasible(world, task):
            continue
        _place_arms(world, rng)
        mujoco.mj_forward(world.model, world.data)
        world.step(_SETTLE_S)
        world.scene.start_episode(world.data)
        if world.suite.feasible(world, task) and not world.suite.any_solved(world, task):
            return task
    raise SimError(
        f"no start state found for {task.instruction!r} in {_TRIES} draws; try another seed"
    )


def _place_arms(world: World, rng: np.random.Generator) -> None:
    for arm in world.arms:
        home = Pose(*arm.ik.forward(arm.home_rad))
        offset = rng.uniform(-1.0, 1.0, 3) * _HOME_JITTER_M
        start = Pose(home.position_m + offset, home.quaternion_xyzw)
        arm.place(world.data, arm.posture_for(start, steps=25), opening=1.0)
