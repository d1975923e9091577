# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scripted expert of `humanoid_upper_body`: picks hands and skills for the present state."""

from __future__ import annotations

import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.experts import bimanual, skills
from evla_ros.sim.experts.block_tasks import act_on_block
from evla_ros.sim.experts.motion import Intent
from evla_ros.sim.experts.style import Style
from evla_ros.sim.experts.two_hands import LEFT, RIGHT, TwoHands
from evla_ros.sim.scenes.blocks import colours_of
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.families import SIDES
from evla_ros.sim.tasks.task import Task

_PROPS = {"hand_over": {"bar"}, "lift_tray": {"tray"}}
_HANDS_OFF = ("reach", "push")


def hand_for(sim: Simulation, task: Task) -> int:
    """Return which hand a one-handed task is for: 0 left, 1 right."""
    if task.family in ("reach", "lift"):
        return SIDES.index(task.slots[1])
    if task.family == "push":
        return RIGHT if task.slots[1] == "left" else LEFT
    return TwoHands(sim).nearest_hand(task.slots[0])


class HumanoidExpert:
    """Acts for one task in one simulation, from any state."""

    def __init__(self, sim: Simulation, task: Task, style: Style) -> None:
        """Take the simulation to look at; nothing of it is changed."""
        self._sim, self._task, self._style = sim, task, style
        self._body = TwoHands(sim)
        self._allowed = set() if task.family in _HANDS_OFF else set(colours_of(task))
        self._allowed |= _PROPS.get(task.family, set())

    def act(self) -> Array:
        """Return the action [14] for the present state, left arm first."""
        intents = enumerate(self._intents())
        return np.concatenate([self._body.action(i, intent, self._style) for i, intent in intents])

    def _intents(self) -> list[Intent]:
        intents = list(self._planned())
        for index in (LEFT, RIGHT):
            stray = self._body.stray(index, self._allowed)
            if stray is not None:
                intents[index] = self._body.put_down(index, stray, self._style)
            elif self._body.is_around_a_prop(index, self._allowed):
                hand = self._body.hand(index)
                intents[index] = skills.let_go(hand, hand.position_m[2] + 0.03)
        return intents

    def _planned(self) -> tuple[Intent, Intent]:
        task, body, style = self._task, self._body, self._style
        if task.family == "hand_over":
            return bimanual.hand_over(body, SIDES.index(task.slots[0]), style)
        if task.family == "lift_tray":
            return bimanual.lift_tray(body, style)
        if task.family == "lift_both":
            return bimanual.lift_both(body, colours_of(task), style)
        index = hand_for(self._sim, task)
        intent = act_on_block(body, index, task, style)
        idle = body.idle(1 - index)
        return (intent, idle) if index == LEFT else (idle, intent)
