# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start an episode: place arms and objects, let them settle, refuse a start that is a solution."""

from __future__ import annotations

import mujoco
import numpy as np

from evla_ros.geometry.pose import Pose
from evla_ros.sim.errors import SimError
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.suite import TaskSuite
from evla_ros.sim.tasks.task import Task

_TRIES = 1000
_SETTLE_S = 0.2
_HOME_JITTER_M = np.array([0.05, 0.08, 0.04])


def draw_start(
    sim: Simulation, suite: TaskSuite, task: Task, rng: np.random.Generator, randomize: bool
) -> None:
    """Put the robot and its objects into a random start state for a task.

    Redraws until the task can be done, and neither it nor any other task is already solved.

    Args:
        sim: robot and objects; changed in place.
        suite: the tasks of its world.
        task: what the episode is about.
        rng: what draws.
        randomize: whether colours, light and cameras are drawn too.

    Raises:
        SimError: no draw will do.
    """
    sim.scene.randomize_appearance(rng)
    if not randomize:
        sim.scene.restore_appearance()  # after the draw, so that the poses do not depend on it
    for _ in range(_TRIES):
        mujoco.mj_resetData(sim.model, sim.data)
        if not sim.scene.arrange(sim.data, task, rng):
            continue
        sim.stand_still()
        mujoco.mj_kinematics(sim.model, sim.data)
        if not suite.feasible(sim, task):
            continue
        _jitter_arms(sim, rng)
        mujoco.mj_forward(sim.model, sim.data)
        sim.step(_SETTLE_S)
        sim.scene.remember_start(sim.data)
        if suite.feasible(sim, task) and not suite.any_solved(sim, task):
            return
    raise SimError(
        f"no start state found for {task.instruction!r} in {_TRIES} draws; try another seed"
    )


def _jitter_arms(sim: Simulation, rng: np.random.Generator) -> None:
    for arm in sim.arms:
        home = Pose(*arm.ik.forward(arm.home_rad))
        offset = rng.uniform(-1.0, 1.0, 3) * _HOME_JITTER_M
        start = Pose(home.position_m + offset, home.quaternion_xyzw)
        arm.set_posture(sim.data, arm.posture_for(start, steps=25), opening=1.0)
