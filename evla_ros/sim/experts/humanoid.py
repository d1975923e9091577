# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scripted expert of `humanoid_upper_body`: picks hands and skills for the present state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evla_ros.sim.experts import bimanual, skills
from evla_ros.sim.experts.body import LEFT, RIGHT, SIDES, Body
from evla_ros.sim.experts.motion import Intent, act_toward
from evla_ros.sim.experts.style import Style
from evla_ros.sim.scenes import humanoid as scene
from evla_ros.sim.scenes.blocks import COLOURS, HALF_M
from evla_ros.sim.tasks.task import Task

if TYPE_CHECKING:
    from evla_ros.sim.world import World

Array = npt.NDArray[np.float64]
_FINGERTIP_M = 0.014
_PUSH_STANDOFF_M = HALF_M + 0.016
_REACH_ABOVE_M = 0.05
_LIFT_M = 0.10
_TOLERANCE_M = {"stack": 0.009, "put_on_plate": 0.02, "put_in_bowl": 0.018}
_WAYS = {"left": np.array([0.0, 1.0, 0.0]), "right": np.array([0.0, -1.0, 0.0])}
_PROPS = {"hand_over": {"bar"}, "lift_tray": {"tray"}}
_HANDS_OFF = ("reach", "push")


def hand_for(world: World, task: Task) -> int:
    """Return which hand a one-handed task is for: 0 left, 1 right."""
    if task.family in ("reach", "lift"):
        return SIDES.index(task.slots[1])
    if task.family == "push":
        return RIGHT if task.slots[1] == "left" else LEFT
    return Body(world).nearest_hand(task.slots[0])


class HumanoidExpert:
    """Acts for one task in one world, from any state."""

    def __init__(self, world: World, task: Task, style: Style) -> None:
        """Take the world to look at; nothing of it is changed."""
        self._world, self._task, self._style = world, task, style
        self._body = Body(world)
        named = {word for slot in task.slots for word in slot.split() if word in COLOURS}
        self._colours = [c for slot in task.slots for c in slot.split() if c in COLOURS]
        self._allowed = set() if task.family in _HANDS_OFF else named
        self._allowed |= _PROPS.get(task.family, set())

    def act(self) -> Array:
        """Return the action [14] for the present state, left arm first."""
        dt_s = 1.0 / self._world.embodiment.rate_hz
        parts = []
        for index, intent in enumerate(self._intents()):
            limits = self._world.embodiment.arms[index].limits
            low = np.maximum(limits.workspace_min_m, [-np.inf, -np.inf, _FINGERTIP_M])
            inside = np.clip(intent.position_m, low, limits.workspace_max_m)
            bounded = Intent(inside, intent.quaternion_xyzw, intent.gripper)
            pose = self._world.arms[index].pose(self._world.data)
            parts.append(act_toward(pose, bounded, self._style, dt_s, limits.max_step_m))
        return np.concatenate(parts)

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
        family, body, style = self._task.family, self._body, self._style
        if family == "hand_over":
            return bimanual.hand_over(body, SIDES.index(self._task.slots[0]), style)
        if family == "lift_tray":
            return bimanual.lift_tray(body, style)
        if family == "lift_both":
            return bimanual.lift_both(body, self._colours, style)
        index = hand_for(self._world, self._task)
        intent = self._one_hand(index, self._colours[0])
        idle = body.idle(1 - index)
        return (intent, idle) if index == LEFT else (idle, intent)

    def _one_hand(self, index: int, colour: str) -> Intent:
        body, family, style = self._body, self._task.family, self._style
        block = body.block(colour)
        if family == "reach":
            above = block + skills.up(_REACH_ABOVE_M)
            return skills.travel(body.hand(index), above, HALF_M + 0.045, 1.0)
        if family == "push":
            return self._push(index, block)
        hand = body.hand_at_block(index, colour)
        held = body.holds_block(index, colour)
        if family == "lift":
            if held:
                return skills.raise_to(hand, HALF_M + _LIFT_M, 0.0)
            return skills.grasp(hand, block, style)
        place = self._place()
        return skills.deliver(
            hand,
            block,
            place,
            style,
            held=held,
            there=self._is_there(block, place),
            tolerance_m=_TOLERANCE_M[family],
        )

    def _push(self, index: int, block: Array) -> Intent:
        hand = self._body.hand(index)
        blocks = [self._body.block(colour) for colour in self._body.objects.colours]
        if skills.is_around(hand, blocks):
            return skills.let_go(hand, hand.position_m[2] + 0.03)
        target = np.array([block[0], block[1], 0.028])
        way = _WAYS[self._task.slots[1]]
        return skills.push(hand, target, way, _PUSH_STANDOFF_M, self._style)

    def _place(self) -> Array:
        if self._task.family == "stack":
            return self._body.block(self._task.slots[1]) + skills.up(2 * HALF_M + 0.002)
        if self._task.family == "put_on_plate":
            rest = scene.PLATE_TOP_M + HALF_M + 0.002
            return self._body.place_of("plate") + skills.up(rest)
        return self._body.place_of("bowl") + skills.up(scene.BOWL_HEIGHT_M + 0.02)

    def _is_there(self, block: Array, place: Array) -> bool:
        away = float(np.hypot(*(block - place)[:2]))
        if self._task.family == "stack":
            return bool(away < 0.02 and abs(block[2] - place[2]) < 0.012)
        within = 0.055 if self._task.family == "put_on_plate" else 0.045
        return bool(away < within and block[2] < place[2] + 0.015)
