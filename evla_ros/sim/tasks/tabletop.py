# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The language tasks of `tabletop_arm`: ten families over four colours, with their predicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mujoco
import numpy as np

from evla_ros.sim.experts.expert import Expert
from evla_ros.sim.experts.style import Style
from evla_ros.sim.experts.tabletop import TabletopExpert
from evla_ros.sim.scenes import tabletop as scene
from evla_ros.sim.scenes.tabletop import COLOURS, HALF_M, TabletopScene
from evla_ros.sim.tasks.access import away, dish_is_empty, top_is_clear
from evla_ros.sim.tasks.grammar import Family, Grammar
from evla_ros.sim.tasks.task import Task

if TYPE_CHECKING:
    from evla_ros.sim.world import World

DIRECTIONS = {"left": np.array([0.0, 1.0]), "right": np.array([0.0, -1.0])}
PUSH_M = 0.07
LIFT_M = 0.06
REACH_M = 0.03
REACH_ABOVE_M = 0.05
_AT_REST_M_S = 0.05
_NEAR_X_M, _FAR_X_M, _WIDE_Y_M = 0.24, 0.60, 0.34
_KNOB_ROOM_M, _BOWL_ROOM_M = 0.06, 0.09
_COLOUR = {"colour": tuple(COLOURS)}

FAMILIES = (
    Family("reach", ("reach the {colour} block", "move to the {colour} block"), _COLOUR),
    Family(
        "push",
        ("push the {colour} block to the {direction}", "slide the {colour} block {direction}"),
        {**_COLOUR, "direction": tuple(DIRECTIONS)},
    ),
    Family("lift", ("lift the {colour} block", "pick up the {colour} block"), _COLOUR),
    Family(
        "stack",
        (
            "stack the {colour} block on the {under} block",
            "place the {colour} block on top of the {under} block",
        ),
        {**_COLOUR, "under": tuple(COLOURS)},
    ),
    Family(
        "put_in_bowl",
        ("put the {colour} block in the bowl", "drop the {colour} block into the bowl"),
        _COLOUR,
    ),
    Family(
        "put_on_plate",
        ("put the {colour} block on the plate", "place the {colour} block on the plate"),
        _COLOUR,
    ),
    Family(
        "put_in_drawer",
        ("put the {colour} block in the drawer", "drop the {colour} block into the drawer"),
        _COLOUR,
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


class TabletopSuite:
    """Grammar, predicates and experts of `tabletop_arm`."""

    def __init__(self) -> None:
        """Build the grammar."""
        self.grammar = Grammar(FAMILIES, HELD_OUT)

    def make_scene(self, model: mujoco.MjModel) -> TabletopScene:
        """Return the scene of a compiled model."""
        return TabletopScene(model)

    def expert(self, world: World, task: Task, style: Style) -> Expert:
        """Return the scripted expert of a task."""
        return TabletopExpert(world, task, style)

    def feasible(self, world: World, task: Task) -> bool:
        """Return whether the task's blocks are here, its drawer is right and a push has room."""
        objects: TabletopScene = world.scene
        if any(slot in COLOURS and slot not in objects.colours for slot in task.slots):
            return False
        opening = objects.drawer_opening(world.data)
        if task.family in ("close", "put_in_drawer") and opening <= scene.DRAWER_OPEN_M:
            return False
        if task.family == "open":
            return opening < scene.DRAWER_SHUT_M
        return task.family in ("close", "reach") or _can_be_moved(world, task)

    def any_solved(self, world: World, task: Task) -> bool:
        """Return whether any task here is solved; the drawer counts for its own tasks only."""
        drawer = ("open", "close")
        here = [t for t in self.grammar.tasks if t.family not in drawer or t.key == task.key]
        present = set(world.scene.colours)
        return any(
            self.succeeded(world, t)
            for t in here
            if all(s in present for s in t.slots if s in COLOURS)
        )

    def succeeded(self, world: World, task: Task) -> bool:
        """Return whether a task is solved in the present state."""
        objects: TabletopScene = world.scene
        opening = objects.drawer_opening(world.data)
        if task.family == "open":
            return opening > scene.DRAWER_OPEN_M
        if task.family == "close":
            return opening < scene.DRAWER_SHUT_M
        return task.slots[0] in objects.colours and _block_solved(world, task)


def _block_solved(world: World, task: Task) -> bool:
    objects: TabletopScene = world.scene
    colour = task.slots[0]
    block = objects.block(world.data, colour)
    arm = world.arms[0]
    if task.family == "reach":
        point = block + np.array([0.0, 0.0, REACH_ABOVE_M])
        return float(np.linalg.norm(arm.pose(world.data).position_m - point)) < REACH_M
    if task.family == "push":
        moved = (block - objects.start[colour])[:2]
        return float(moved @ DIRECTIONS[task.slots[1]]) > PUSH_M and abs(block[2] - HALF_M) < 0.01
    touched = objects.touching(world.data, colour)
    if task.family == "lift":
        return bool(block[2] > HALF_M + LIFT_M and touched.issuperset(arm.pads))
    at_rest = objects.block_speed(world.data, colour) < _AT_REST_M_S
    return at_rest and not touched & arm.geoms and _is_in_place(world, task, block, touched)


def _is_in_place(world: World, task: Task, block: np.ndarray, touched: set[int]) -> bool:
    objects: TabletopScene = world.scene
    if task.family == "stack":
        if task.slots[1] not in objects.colours:
            return False
        under = objects.block(world.data, task.slots[1])
        level = abs(block[2] - under[2] - 2 * HALF_M) < 0.008
        return bool(level and objects.geom(task.slots[1]) in touched)
    if task.family == "put_in_drawer":
        return in_drawer(world, block)
    name = task.family.removeprefix("put_in_").removeprefix("put_on_")
    away = float(np.hypot(*(block - objects.place_of(name))[:2]))
    if name == "bowl":
        return away < 0.055 and block[2] < scene.BOWL_HEIGHT_M + 0.01
    return away < 0.065 and abs(block[2] - scene.PLATE_TOP_M - HALF_M) < 0.006


def in_drawer(world: World, block: np.ndarray) -> bool:
    """Return whether a point [3] is inside the drawer's box."""
    objects: TabletopScene = world.scene
    knob = objects.knob(world.data)
    inside = knob[0] + 0.03 < block[0] and abs(block[1] - knob[1]) < 0.085
    return bool(inside and 0.02 < block[2] < 0.07)


def _can_be_moved(world: World, task: Task) -> bool:
    objects: TabletopScene = world.scene
    data = world.data
    colour, block = task.slots[0], objects.block(world.data, task.slots[0])
    within = _NEAR_X_M < block[0] < _FAR_X_M and abs(block[1]) < _WIDE_Y_M
    at_knob = away(block, objects.knob(data)) < _KNOB_ROOM_M
    in_bowl = away(block, objects.place_of("bowl")) < _BOWL_ROOM_M
    if not within or at_knob or in_bowl or not top_is_clear(objects, data, colour):
        return False
    if task.family == "stack":
        under = objects.block(data, task.slots[1])
        free = (
            abs(under[2] - HALF_M) < 0.02 and away(under, objects.place_of("bowl")) > _BOWL_ROOM_M
        )
        reached = under[0] < _FAR_X_M and abs(under[1]) < _WIDE_Y_M
        return bool(free and reached and top_is_clear(objects, data, task.slots[1]))
    if task.family in ("put_in_bowl", "put_on_plate"):
        dish = objects.place_of(task.family.split("_")[-1])
        return dish_is_empty(objects, data, dish, colour)
    return task.family != "push" or _push_has_room(world, *task.slots)


def _push_has_room(world: World, colour: str, direction: str) -> bool:
    objects: TabletopScene = world.scene
    block = objects.block(world.data, colour)
    way = DIRECTIONS[direction]
    others = [objects.block(world.data, c) for c in objects.colours if c != colour]
    others += [objects.place_of(name) for name in ("bowl", "plate")]
    for other, radius in zip(others, [0.045] * (len(others) - 2) + [0.10] * 2, strict=True):
        along = float((other - block)[:2] @ way)
        across = abs(float((other - block)[0]))
        if across < radius + 0.02 and -(radius + 0.065) < along < radius + PUSH_M + 0.12:
            return False
    end = block[:2] + way * (PUSH_M + 0.10)
    behind = block[:2] - way * 0.07
    return bool(abs(end[1]) < 0.36 and abs(behind[1]) < 0.32)
