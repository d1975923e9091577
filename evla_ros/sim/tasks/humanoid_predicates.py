# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a task of `humanoid_upper_body` is solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evla_ros.sim.scenes import humanoid as scene
from evla_ros.sim.scenes.blocks import COLOURS, HALF_M
from evla_ros.sim.scenes.humanoid import HumanoidScene
from evla_ros.sim.tasks.task import Task

if TYPE_CHECKING:
    from evla_ros.sim.world import World

Array = npt.NDArray[np.float64]
PUSH_M = 0.07
LIFT_M = 0.06
REACH_M = 0.03
REACH_ABOVE_M = 0.05
LEVEL_RAD = 0.35
_AT_REST_M_S = 0.05
_SIDES = ("left", "right")


def solved(world: World, task: Task) -> bool:
    """Return whether a task is solved in the present state; False when its objects are not here."""
    objects: HumanoidScene = world.scene
    data = world.data
    if task.family == "lift_tray":
        held = all(
            objects.part_touched(data, f"tray_{side}").issuperset(arm.pads)
            for side, arm in zip(_SIDES, world.arms, strict=True)
        )
        high = objects.place_of(data, "tray")[2] > LIFT_M
        return bool(held and high and objects.tilt_of(data, "tray") < LEVEL_RAD)
    if task.family == "hand_over":
        return _handed_over(world, task.slots[0])
    colours = [word for slot in task.slots for word in slot.split() if word in COLOURS]
    if not set(colours) <= set(objects.colours):
        return False
    if task.family == "lift_both":
        return _lifted_apart(world, colours)
    return _block_solved(world, task, colours[0])


def _handed_over(world: World, receiver: str) -> bool:
    objects: HumanoidScene = world.scene
    touched = objects.part_touched(world.data, "bar")
    taker = world.arms[_SIDES.index(receiver)]
    giver = world.arms[1 - _SIDES.index(receiver)]
    lifted = objects.place_of(world.data, "bar")[2] > scene.BAR_REST_M + LIFT_M
    return bool(lifted and touched.issuperset(taker.pads) and not touched & giver.geoms)


def _lifted_apart(world: World, colours: list[str]) -> bool:
    objects: HumanoidScene = world.scene
    holders = []
    for colour in colours:
        touched = objects.touching(world.data, colour)
        high = objects.block(world.data, colour)[2] > HALF_M + LIFT_M
        holders.append({a.name for a in world.arms if high and touched.issuperset(a.pads)})
    return bool(holders[0] and holders[1] and holders[0] != holders[1])


def _block_solved(world: World, task: Task, colour: str) -> bool:
    objects: HumanoidScene = world.scene
    data = world.data
    block = objects.block(data, colour)
    if task.family == "reach":
        tool = world.arms[_SIDES.index(task.slots[1])].pose(data).position_m
        return float(np.linalg.norm(tool - block - np.array([0.0, 0.0, REACH_ABOVE_M]))) < REACH_M
    if task.family == "push":
        sign = 1.0 if task.slots[1] == "left" else -1.0
        moved = float((block - objects.start[colour])[1]) * sign
        return moved > PUSH_M and abs(block[2] - HALF_M) < 0.01
    touched = objects.touching(data, colour)
    if task.family == "lift":
        pads = world.arms[_SIDES.index(task.slots[1])].pads
        return bool(block[2] > HALF_M + LIFT_M and touched.issuperset(pads))
    let_go = not any(touched & arm.geoms for arm in world.arms)
    at_rest = objects.block_speed(data, colour) < _AT_REST_M_S
    return bool(let_go and at_rest and _is_in_place(world, task, block, touched))


def _is_in_place(world: World, task: Task, block: Array, touched: set[int]) -> bool:
    objects: HumanoidScene = world.scene
    if task.family == "stack":
        under = objects.block(world.data, task.slots[1])
        level = abs(block[2] - under[2] - 2 * HALF_M) < 0.008
        return bool(level and objects.geom(task.slots[1]) in touched)
    name = task.family.split("_")[-1]
    away = float(np.hypot(*(block - objects.place_of(world.data, name))[:2]))
    if not objects.is_here(world.data, name):
        return False
    if name == "bowl":
        return bool(away < 0.055 and block[2] < scene.BOWL_HEIGHT_M + 0.01)
    return bool(away < 0.065 and abs(block[2] - scene.PLATE_TOP_M - HALF_M) < 0.006)
