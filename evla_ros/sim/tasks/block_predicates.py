# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a task about one block is solved, in every world: reach, push, lift, stack, bowl, plate."""

from __future__ import annotations

import numpy as np

from evla_ros.sim.arm import SimArm
from evla_ros.sim.scenes.blocks import HALF_M
from evla_ros.sim.scenes.table import BOWL_HEIGHT_M, PLATE_TOP_M, TableScene
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.access import away
from evla_ros.sim.tasks.families import DISHES, WAYS
from evla_ros.sim.tasks.task import Task

PUSH_M = 0.07
LIFT_M = 0.06
REACH_M = 0.03
REACH_ABOVE_M = 0.05
_AT_REST_M_S = 0.05


def block_task_solved(sim: Simulation, task: Task, arm: SimArm) -> bool:
    """Return whether a task about the block of its first slot is solved.

    Args:
        sim: the present state; the blocks of the task are in it.
        task: a task of a family that this module knows.
        arm: the one that has to reach or to lift.
    """
    scene: TableScene = sim.scene
    colour = task.slots[0]
    block = scene.block(sim.data, colour)
    if task.family == "reach":
        point = block + np.array([0.0, 0.0, REACH_ABOVE_M])
        return float(np.linalg.norm(arm.pose(sim.data).position_m - point)) < REACH_M
    if task.family == "push":
        moved_m = float((block - scene.start[colour]) @ WAYS[task.slots[1]])
        return moved_m > PUSH_M and abs(block[2] - HALF_M) < 0.01
    if task.family == "lift":
        return is_lifted_by(sim, colour, arm)
    return is_released(sim, colour) and _is_in_place(sim, task)


def is_lifted_by(sim: Simulation, colour: str, arm: SimArm) -> bool:
    """Return whether both fingers of an arm hold a block up."""
    scene: TableScene = sim.scene
    high = scene.block(sim.data, colour)[2] > HALF_M + LIFT_M
    return bool(high and scene.touching(sim.data, colour).issuperset(arm.pads))


def is_released(sim: Simulation, colour: str) -> bool:
    """Return whether a block lies at rest and no arm touches it."""
    scene: TableScene = sim.scene
    touched = scene.touching(sim.data, colour)
    at_rest = scene.block_speed(sim.data, colour) < _AT_REST_M_S
    return at_rest and not any(touched & arm.geoms for arm in sim.arms)


def _is_in_place(sim: Simulation, task: Task) -> bool:
    scene: TableScene = sim.scene
    colour = task.slots[0]
    block = scene.block(sim.data, colour)
    if task.family == "stack":
        under = scene.block(sim.data, task.slots[1])
        level = abs(block[2] - under[2] - 2 * HALF_M) < 0.008
        return bool(level and scene.geom(task.slots[1]) in scene.touching(sim.data, colour))
    dish = DISHES[task.family]
    if not scene.is_here(sim.data, dish):
        return False
    away_m = away(block, scene.position_of(sim.data, dish))
    if dish == "bowl":
        return bool(away_m < 0.055 and block[2] < BOWL_HEIGHT_M + 0.01)
    return bool(away_m < 0.065 and abs(block[2] - PLATE_TOP_M - HALF_M) < 0.006)
