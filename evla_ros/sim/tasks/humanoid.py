# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The language tasks of `humanoid_upper_body`: one-handed, handed over, and with both hands."""

from __future__ import annotations

from evla_ros.sim.experts.humanoid import HumanoidExpert, hand_for
from evla_ros.sim.scenes.blocks import HALF_M, colours_of
from evla_ros.sim.scenes.humanoid import BAR_REST_M, HumanoidScene
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.access import Reach, can_be_taken, dish_is_empty, is_on_table, way_is_free
from evla_ros.sim.tasks.block_predicates import LIFT_M, block_task_solved, is_lifted_by
from evla_ros.sim.tasks.families import (
    COLOUR_SIDE,
    DISHES,
    PUSH,
    PUT_IN_BOWL,
    PUT_ON_PLATE,
    SIDES,
    STACK,
    WAYS,
)
from evla_ros.sim.tasks.grammar import Family, Grammar
from evla_ros.sim.tasks.suite import TaskSuite
from evla_ros.sim.tasks.task import Task

PAIRS = ("red and green", "red and blue", "green and yellow", "blue and yellow")
_REACH = Reach(near_x_m=0.26, far_x_m=0.60, wide_y_m=0.36)
_REACH_ACROSS_M = 0.05
_PUSH_ROOM_M = 0.20
_BLOCK_RADIUS_M, _PROP_RADIUS_M = 0.045, 0.11

FAMILIES = (
    Family(
        "reach",
        (
            "reach the {colour} block with the {side} hand",
            "move the {side} hand to the {colour} block",
        ),
        COLOUR_SIDE,
    ),
    Family(
        "lift",
        (
            "lift the {colour} block with the {side} hand",
            "pick up the {colour} block with the {side} hand",
        ),
        COLOUR_SIDE,
    ),
    PUSH,
    STACK,
    PUT_IN_BOWL,
    PUT_ON_PLATE,
    Family(
        "hand_over",
        ("hand the bar over to the {side} hand", "pass the bar to the {side} hand"),
        {"side": SIDES},
    ),
    Family("lift_tray", ("lift the tray with both hands", "pick up the tray with both hands"), {}),
    Family("lift_both", ("lift the {pair} blocks", "pick up the {pair} blocks"), {"pair": PAIRS}),
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
LEVEL_RAD = 0.35


def succeeded(sim: Simulation, task: Task) -> bool:
    """Return whether a task is solved in the present state; False when its blocks are not here."""
    scene: HumanoidScene = sim.scene
    if task.family == "lift_tray":
        return _tray_lifted_level(sim)
    if task.family == "hand_over":
        return _handed_over(sim, task.slots[0])
    if not scene.has_blocks_of(task):
        return False
    if task.family == "lift_both":
        return _lifted_apart(sim, colours_of(task))
    hand = SIDES.index(task.slots[1]) if task.family in ("reach", "lift") else 0
    return block_task_solved(sim, task, sim.arms[hand])


def _tray_lifted_level(sim: Simulation) -> bool:
    scene: HumanoidScene = sim.scene
    held = all(
        scene.part_touched(sim.data, f"tray_{side}").issuperset(arm.pads)
        for side, arm in zip(SIDES, sim.arms, strict=True)
    )
    high = scene.position_of(sim.data, "tray")[2] > LIFT_M
    return bool(held and high and scene.tilt_of(sim.data, "tray") < LEVEL_RAD)


def _handed_over(sim: Simulation, receiver: str) -> bool:
    scene: HumanoidScene = sim.scene
    touched = scene.part_touched(sim.data, "bar")
    taker = sim.arms[SIDES.index(receiver)]
    giver = sim.arms[1 - SIDES.index(receiver)]
    lifted = scene.position_of(sim.data, "bar")[2] > BAR_REST_M + LIFT_M
    return bool(lifted and touched.issuperset(taker.pads) and not touched & giver.geoms)


def _lifted_apart(sim: Simulation, colours: list[str]) -> bool:
    holders = [
        {arm.name for arm in sim.arms if is_lifted_by(sim, colour, arm)} for colour in colours
    ]
    return bool(holders[0] and holders[1] and holders[0] != holders[1])


def feasible(sim: Simulation, task: Task) -> bool:
    """Return whether the task's objects are here and within reach of the right hands."""
    scene: HumanoidScene = sim.scene
    data = sim.data
    if not scene.has_blocks_of(task):
        return False
    if task.family == "lift_tray":
        return scene.is_here(data, "tray") and abs(scene.position_of(data, "tray")[1]) < 0.06
    if task.family == "hand_over":
        return scene.is_here(data, "bar") and _bar_is_ready(sim, task.slots[0])
    if task.family == "lift_both":
        first, second = (scene.block(data, colour) for colour in colours_of(task))
        low, high = sorted((float(first[1]), float(second[1])))
        apart = high - low > 0.17 and high > 0.04 and low < -0.04
        return apart and all(can_be_taken(scene, data, c, _REACH) for c in colours_of(task))
    return _one_hand_can(sim, task)


def _one_hand_can(sim: Simulation, task: Task) -> bool:
    scene: HumanoidScene = sim.scene
    data, colour = sim.data, task.slots[0]
    block = scene.block(data, colour)
    sign = WAYS[SIDES[hand_for(sim, task)]][1]
    if block[1] * sign < -_REACH_ACROSS_M or abs(block[1]) < 0.03:
        return False
    if task.family != "reach" and not can_be_taken(scene, data, colour, _REACH):
        return False
    if task.family in DISHES:
        dish = DISHES[task.family]
        dish_m = scene.position_of(data, dish)
        free = scene.is_here(data, dish) and dish_is_empty(scene, data, dish_m, colour)
        return bool(free and dish_m[1] * sign > -_REACH_ACROSS_M)
    if task.family == "stack":
        under = scene.block(data, task.slots[1])
        ready = is_on_table(under) and can_be_taken(scene, data, task.slots[1], _REACH)
        return bool(ready and under[1] * sign > -_REACH_ACROSS_M)
    return task.family != "push" or _push_has_room(sim, *task.slots)


def _push_has_room(sim: Simulation, colour: str, side: str) -> bool:
    scene: HumanoidScene = sim.scene
    data = sim.data
    block = scene.block(data, colour)
    obstacles = [(scene.block(data, c), _BLOCK_RADIUS_M) for c in scene.colours if c != colour]
    props = scene.props_here(data)
    obstacles += [(scene.position_of(data, prop), _PROP_RADIUS_M) for prop in props]
    end = block + WAYS[side] * _PUSH_ROOM_M
    return way_is_free(block, obstacles, side, _PUSH_ROOM_M) and bool(abs(end[1]) < 0.38)


def _bar_is_ready(sim: Simulation, receiver: str) -> bool:
    scene: HumanoidScene = sim.scene
    bar = scene.position_of(sim.data, "bar")
    on_givers_side = bar[1] * -WAYS[receiver][1] > 0.10
    return bool(abs(bar[2] - HALF_M) < 0.03 and on_givers_side and 0.33 < bar[0] < 0.50)


HUMANOID = TaskSuite(
    grammar=Grammar(FAMILIES, HELD_OUT),
    make_scene=HumanoidScene,
    feasible=feasible,
    succeeded=succeeded,
    expert=HumanoidExpert,
)
