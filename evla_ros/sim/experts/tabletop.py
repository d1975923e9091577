# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scripted expert of `tabletop_arm`: picks the skill that the present state calls for."""

from __future__ import annotations

import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.experts import skills
from evla_ros.sim.experts.block_tasks import Delivery, act_on_block, block_delivery, set_aside
from evla_ros.sim.experts.body import Body
from evla_ros.sim.experts.motion import Intent
from evla_ros.sim.experts.skills import Hand
from evla_ros.sim.experts.style import Style
from evla_ros.sim.scenes.tabletop import CABINET_FRONT_X_M, TabletopScene
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.task import Task

_ARM = 0
_KNOB_STANDOFF_M = 0.020 + 0.011
_KNOB_TO_FRONT_M = 0.042
_KNOB_CLEARANCE_M = 0.07
_KNOB_ROOM_M, _DISH_ROOM_M = 0.15, 0.13
_OPENED_M, _PULL_TO_M, _CLOSED_M = 0.108, 0.118, 0.006
_DRAWER_CLEARANCE_M, _DRAWER_TOLERANCE_M = 0.135, 0.02
_SPOTS_M = np.array(
    [[x, y] for x in (0.28, 0.34, 0.40, 0.46) for y in np.arange(-0.28, 0.29, 0.08)]
)
_HANDS_OFF = ("reach", "push", "open", "close")


class TabletopExpert:
    """Acts for one task in one simulation, from any state."""

    def __init__(self, sim: Simulation, task: Task, style: Style) -> None:
        """Take the simulation to look at; nothing of it is changed."""
        self._task, self._style = task, style
        self._data = sim.data
        self._scene: TabletopScene = sim.scene
        self._pads = sim.arms[_ARM].pads
        self._body = Body(sim)

    def act(self) -> Array:
        """Return the action [7] for the present state."""
        return self._body.action(_ARM, self._intent(), self._style)

    def _intent(self) -> Intent:
        task, body = self._task, self._body
        hand, held = body.hand(_ARM), body.held_block(_ARM)
        if held is not None and (task.family in _HANDS_OFF or held != task.slots[0]):
            return self._put_down(held)
        if task.family == "open":
            return self._open(hand)
        if task.family == "close":
            return self._close(hand)
        knob = self._scene.drawer.knob(self._data)
        if held is None and skills.is_around(hand, [knob]):
            return skills.let_go(hand, knob[2] + _KNOB_CLEARANCE_M)
        return act_on_block(body, _ARM, task, self._style, self._delivery_of)

    def _delivery_of(self, body: Body, task: Task) -> Delivery:
        if task.family != "put_in_drawer":
            return block_delivery(body, task)
        knob = self._scene.drawer.knob(self._data)
        middle = (knob[0] + _KNOB_TO_FRONT_M + CABINET_FRONT_X_M) / 2
        target_m = np.array([middle, knob[1], _DRAWER_CLEARANCE_M])
        done = self._scene.is_behind_front(self._data, body.block(task.slots[0]))
        return Delivery(target_m, done, _DRAWER_TOLERANCE_M)

    def _open(self, hand: Hand) -> Intent:
        knob = self._scene.drawer.knob(self._data)
        opening_m = self._scene.drawer.opening(self._data)
        if opening_m > _OPENED_M:
            return skills.let_go(hand, knob[2] + self._style.hover_m)
        if self._scene.drawer.touched(self._data).issuperset(self._pads):
            missing_m = _PULL_TO_M - opening_m
            return hand.at(np.array([hand.position_m[0] - missing_m, knob[1], knob[2]]), 0.0)
        return skills.grasp(hand, knob, self._style)

    def _close(self, hand: Hand) -> Intent:
        if self._body.is_around_a_block(_ARM):
            return skills.let_go(hand, hand.position_m[2] + 0.03)
        if self._scene.drawer.opening(self._data) < _CLOSED_M:
            return hand.stay(0.0)
        knob = self._scene.drawer.knob(self._data)
        return skills.push(hand, knob, np.array([1.0, 0.0, 0.0]), _KNOB_STANDOFF_M, self._style)

    def _put_down(self, held: str) -> Intent:
        occupied = [(self._body.position_of(dish), _DISH_ROOM_M) for dish in self._scene.props]
        occupied.append((self._scene.drawer.knob(self._data), _KNOB_ROOM_M))
        return set_aside(self._body, _ARM, held, _SPOTS_M, occupied, self._style)
