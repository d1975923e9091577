# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The language tasks of `tabletop_arm`: nine families over four colours, with their predicates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.sim.experts.tabletop import TabletopExpert
from evla_ros.sim.scenes.tabletop import DRAWER_OPEN_M, DRAWER_SHUT_M, TabletopScene
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.access import (
    Reach,
    away,
    can_be_taken,
    dish_is_empty,
    is_on_table,
    way_is_free,
)
from evla_ros.sim.tasks.block_predicates import PUSH_M, block_task_solved, is_released
from evla_ros.sim.tasks.families import COLOUR, DISHES, PUSH, PUT_IN_BOWL, PUT_ON_PLATE, STACK, WAYS
from evla_ros.sim.tasks.grammar import Family, Grammar
from evla_ros.sim.tasks.suite import TaskSuite
from evla_ros.sim.tasks.task import Task

_REACH = Reach(near_x_m=0.24, far_x_m=0.60, wide_y_m=0.34)
_REACH_TO_STACK_ON = _REACH._replace(near_x_m=-np.inf)
_KNOB_ROOM_M = 0.06
_BLOCK_RADIUS_M, _DISH_RADIUS_M = 0.045, 0.10
_DRAWER_FAMILIES = ("open", "close")

FAMILIES = (
    Family("reach", ("reach the {colour} block", "move to the {colour} block"), COLOUR),
    PUSH,
    Family("lift", ("lift the {colour} block", "pick up the {colour} block"), COLOUR),
    STACK,
    PUT_IN_BOWL,
    PUT_ON_PLATE,
    Family(
        "put_in_drawer",
        ("put the {colour} block in the drawer", "drop the {colour} block into the drawer"),
        COLOUR,
    ),
    Family("open", ("open the drawer", "pull the drawer open"), {}),
    Family("close", ("close the drawer", "push the drawer shut"), {}),
)

HELD_OUT = (
    ("lift", "yellow"),
    ("push", "blue", "left"),
    ("push", "green", "right"),
    ("put_in_bowl", "red"),
    ("put_on_plate", "green"),
    ("put_in_drawer", "blue"),
    ("stack", "blue", "red"),
    ("stack", "yellow", "green"),
)


def feasible(sim: Simulation, task: Task) -> bool:
    """Return whether the task's blocks are here, its drawer is right and a push has room."""
    scene: TabletopScene = sim.scene
    if not scene.has_blocks_of(task):
        return False
    opening_m = scene.drawer.opening(sim.data)
    if task.family in ("close", "put_in_drawer") and opening_m <= DRAWER_OPEN_M:
        return False
    if task.family == "open":
        return opening_m < DRAWER_SHUT_M
    return task.family in ("close", "reach") or _can_be_moved(sim, task)


def succeeded(sim: Simulation, task: Task) -> bool:
    """Return whether a task is solved in the present state."""
    scene: TabletopScene = sim.scene
    opening_m = scene.drawer.opening(sim.data)
    if task.family == "open":
        return opening_m > DRAWER_OPEN_M
    if task.family == "close":
        return opening_m < DRAWER_SHUT_M
    if not scene.has_blocks_of(task):
        return False
    if task.family == "put_in_drawer":
        colour = task.slots[0]
        return is_released(sim, colour) and in_drawer(sim, scene.block(sim.data, colour))
    return block_task_solved(sim, task, sim.arms[0])


def in_drawer(sim: Simulation, point_m: npt.NDArray[np.float64]) -> bool:
    """Return whether a point [3] is inside the drawer's box."""
    scene: TabletopScene = sim.scene
    return scene.is_behind_front(sim.data, point_m) and bool(0.02 < point_m[2] < 0.07)


def _can_be_moved(sim: Simulation, task: Task) -> bool:
    scene: TabletopScene = sim.scene
    data, colour = sim.data, task.slots[0]
    at_knob = away(scene.block(data, colour), scene.drawer.knob(data)) < _KNOB_ROOM_M
    if at_knob or not can_be_taken(scene, data, colour, _REACH):
        return False
    if task.family == "stack":
        under = task.slots[1]
        lies = is_on_table(scene.block(data, under))
        return lies and can_be_taken(scene, data, under, _REACH_TO_STACK_ON)
    if task.family in DISHES:
        dish = scene.position_of(data, DISHES[task.family])
        return dish_is_empty(scene, data, dish, colour)
    return task.family != "push" or _push_has_room(sim, *task.slots)


def _push_has_room(sim: Simulation, colour: str, side: str) -> bool:
    scene: TabletopScene = sim.scene
    block = scene.block(sim.data, colour)
    obstacles = [
        (scene.block(sim.data, other), _BLOCK_RADIUS_M)
        for other in scene.colours
        if other != colour
    ]
    obstacles += [(scene.position_of(sim.data, dish), _DISH_RADIUS_M) for dish in scene.props]
    if not way_is_free(block, obstacles, side, PUSH_M + 0.12):
        return False
    end = block + WAYS[side] * (PUSH_M + 0.10)
    behind = block - WAYS[side] * 0.07
    return bool(abs(end[1]) < 0.36 and abs(behind[1]) < 0.32)


TABLETOP = TaskSuite(
    grammar=Grammar(FAMILIES, HELD_OUT),
    make_scene=TabletopScene,
    feasible=feasible,
    succeeded=succeeded,
    expert=TabletopExpert,
    found_done=_DRAWER_FAMILIES,
)
