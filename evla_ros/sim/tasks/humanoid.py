# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The language tasks of `humanoid_upper_body`: one-handed, handed over, and with both hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mujoco
import numpy as np

from evla_ros.sim.experts.expert import Expert
from evla_ros.sim.experts.humanoid import HumanoidExpert, hand_for
from evla_ros.sim.experts.style import Style
from evla_ros.sim.scenes.blocks import COLOURS, HALF_M
from evla_ros.sim.scenes.humanoid import HumanoidScene
from evla_ros.sim.tasks.access import away, dish_is_empty, top_is_clear
from evla_ros.sim.tasks.grammar import Family, Grammar
from evla_ros.sim.tasks.humanoid_predicates import solved
from evla_ros.sim.tasks.task import Task

if TYPE_CHECKING:
    from evla_ros.sim.world import World

SIDES = ("left", "right")
PAIRS = ("red and green", "red and blue", "green and yellow", "blue and yellow")
_COLOUR = {"colour": tuple(COLOURS)}
_COLOUR_SIDE = {**_COLOUR, "side": SIDES}
_REACH_ACROSS_M = 0.05
_LOW_X_M, _HIGH_X_M = 0.26, 0.60
_PUSH_ROOM_M = 0.20
_WIDE_Y_M, _BOWL_ROOM_M = 0.36, 0.09

FAMILIES = (
    Family(
        "reach",
        (
            "reach the {colour} block with the {side} hand",
            "move the {side} hand to the {colour} block",
        ),
        _COLOUR_SIDE,
    ),
    Family(
        "lift",
        (
            "lift the {colour} block with the {side} hand",
            "pick up the {colour} block with the {side} hand",
        ),
        _COLOUR_SIDE,
    ),
    Family(
        "push",
        ("push the {colour} block to the {side}", "slide the {colour} block {side}"),
        _COLOUR_SIDE,
    ),
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
        "hand_over",
        ("hand the bar over to the {side} hand", "pass the bar to the {side} hand"),
        {"side": SIDES},
    ),
    Family("lift_tray", ("lift the tray with both hands", "pick up the tray with both hands"), {}),
    Family(
        "lift_both",
        ("lift the {pair} blocks", "pick up the {pair} blocks"),
        {"pair": PAIRS},
    ),
)

HELD_OUT = (
    ("reach", "yellow", "left"),
    ("lift", "green", "right"),
    ("lift", "blue", "left"),
    ("push", "red", "left"),
    ("put_in_bowl", "yellow"),
    ("put_on_plate", "blue"),
    ("stack", "red", "yellow"),
    ("stack", "green", "blue"),
    ("lift_both", "red and blue"),
)


class HumanoidSuite:
    """Grammar, predicates and experts of `humanoid_upper_body`."""

    def __init__(self) -> None:
        """Build the grammar."""
        self.grammar = Grammar(FAMILIES, HELD_OUT)

    def make_scene(self, model: mujoco.MjModel) -> HumanoidScene:
        """Return the scene of a compiled model."""
        return HumanoidScene(model)

    def expert(self, world: World, task: Task, style: Style) -> Expert:
        """Return the scripted expert of a task."""
        return HumanoidExpert(world, task, style)

    def succeeded(self, world: World, task: Task) -> bool:
        """Return whether a task is solved in the present state."""
        return solved(world, task)

    def any_solved(self, world: World, task: Task) -> bool:
        """Return whether any task here is solved."""
        return any(solved(world, t) for t in (*self.grammar.tasks, task))

    def feasible(self, world: World, task: Task) -> bool:
        """Return whether the task's objects are here and within reach of the right hands."""
        objects: HumanoidScene = world.scene
        data = world.data
        if not set(colours_of(task)) <= set(objects.colours):
            return False
        if task.family == "lift_tray":
            return objects.is_here(data, "tray") and abs(objects.place_of(data, "tray")[1]) < 0.06
        if task.family == "hand_over":
            return objects.is_here(data, "bar") and _bar_is_ready(world, task.slots[0])
        if task.family == "lift_both":
            first, second = (objects.block(data, c) for c in colours_of(task))
            low, high = sorted((float(first[1]), float(second[1])))
            apart = high - low > 0.17 and high > 0.04 and low < -0.04
            return apart and all(_can_be_taken(world, colour) for colour in colours_of(task))
        return _one_hand_can(world, task)


def colours_of(task: Task) -> list[str]:
    """Return the colours that a task names."""
    return [word for slot in task.slots for word in slot.split() if word in COLOURS]


def _one_hand_can(world: World, task: Task) -> bool:
    objects: HumanoidScene = world.scene
    block = objects.block(world.data, task.slots[0])
    sign = 1.0 if hand_for(world, task) == 0 else -1.0
    if block[1] * sign < -_REACH_ACROSS_M or abs(block[1]) < 0.03:
        return False
    if task.family != "reach" and not _can_be_taken(world, task.slots[0]):
        return False
    if task.family in ("put_in_bowl", "put_on_plate"):
        name = task.family.split("_")[-1]
        place = objects.place_of(world.data, name)
        free = dish_is_empty(objects, world.data, place, task.slots[0])
        here = objects.is_here(world.data, name)
        return bool(here and free and place[1] * sign > -_REACH_ACROSS_M)
    if task.family == "stack":
        under = objects.block(world.data, task.slots[1])
        low = abs(under[2] - HALF_M) < 0.02
        ready = low and _can_be_taken(world, task.slots[1])
        return bool(ready and under[1] * sign > -_REACH_ACROSS_M)
    return task.family != "push" or _push_has_room(world, task.slots[0], task.slots[1])


def _can_be_taken(world: World, colour: str) -> bool:
    objects: HumanoidScene = world.scene
    data = world.data
    block = objects.block(data, colour)
    bowl = objects.place_of(data, "bowl")
    within = _LOW_X_M < block[0] < _HIGH_X_M and abs(block[1]) < _WIDE_Y_M
    in_bowl = objects.is_here(data, "bowl") and away(block, bowl) < _BOWL_ROOM_M
    return bool(within and not in_bowl and top_is_clear(objects, data, colour))


def _push_has_room(world: World, colour: str, side: str) -> bool:
    objects: HumanoidScene = world.scene
    data = world.data
    block = objects.block(data, colour)
    way = np.array([0.0, 1.0 if side == "left" else -1.0])
    others = [(objects.block(data, c), 0.045) for c in objects.colours if c != colour]
    props = [n for n in ("bowl", "plate", "bar", "tray") if objects.is_here(data, n)]
    others += [(objects.place_of(data, n), 0.11) for n in props]
    for other, radius in others:
        along = float((other - block)[:2] @ way)
        across = abs(float((other - block)[0]))
        if across < radius + 0.02 and -(radius + 0.065) < along < radius + _PUSH_ROOM_M:
            return False
    return bool(abs((block[:2] + way * _PUSH_ROOM_M)[1]) < 0.38)


def _bar_is_ready(world: World, receiver: str) -> bool:
    objects: HumanoidScene = world.scene
    bar = objects.place_of(world.data, "bar")
    giver_sign = -1.0 if receiver == "left" else 1.0
    on_table = abs(bar[2] - HALF_M) < 0.03
    return bool(on_table and bar[1] * giver_sign > 0.10 and 0.33 < bar[0] < 0.50)
