# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The language tasks of `mobile_manipulator`: three families that need driving."""

from __future__ import annotations

from evla_ros.sim.experts.mobile import MobileExpert
from evla_ros.sim.scenes.mobile import DRAWER_OPEN_M, DRAWER_SHUT_M, MobileScene
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.block_predicates import is_released
from evla_ros.sim.tasks.families import COLOUR
from evla_ros.sim.tasks.grammar import Family, Grammar
from evla_ros.sim.tasks.suite import TaskSuite
from evla_ros.sim.tasks.task import Task

_LIMIT_S = 45.0

FAMILIES = (
    Family(
        "fetch",
        (
            "fetch the {colour} block from the far table",
            "bring the {colour} block from the far table to the near one",
        ),
        COLOUR,
    ),
    Family(
        "bin",
        ("put the {colour} block in the bin", "throw the {colour} block into the bin"),
        COLOUR,
    ),
    Family("open", ("open the drawer on the far table", "pull the far drawer open"), {}),
)
HELD_OUT = (("fetch", "yellow"), ("bin", "blue"))
_FROM = {"fetch": "far", "bin": "near"}


def feasible(sim: Simulation, task: Task) -> bool:
    """Return whether the task's block is where it is to be taken from, or the drawer is shut."""
    scene: MobileScene = sim.scene
    if task.family == "open":
        return scene.drawer.opening(sim.data) < DRAWER_SHUT_M
    if not scene.has_blocks_of(task):
        return False
    return scene.table_of(scene.block(sim.data, task.slots[0])) == _FROM[task.family]


def succeeded(sim: Simulation, task: Task) -> bool:
    """Return whether a task is solved in the present state."""
    scene: MobileScene = sim.scene
    if task.family == "open":
        return scene.drawer.opening(sim.data) > DRAWER_OPEN_M
    if not scene.has_blocks_of(task) or not is_released(sim, task.slots[0]):
        return False
    block = scene.block(sim.data, task.slots[0])
    if task.family == "bin":
        return scene.in_bin(block)
    return scene.table_of(block) == "near"


MOBILE = TaskSuite(
    grammar=Grammar(FAMILIES, HELD_OUT),
    make_scene=MobileScene,
    feasible=feasible,
    succeeded=succeeded,
    expert=MobileExpert,
    found_done=("fetch",),
    limit_s=_LIMIT_S,
)
