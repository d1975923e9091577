# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scripted expert of `tabletop_arm`: picks the skill that the present state calls for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evla_ros.sim.experts import skills
from evla_ros.sim.experts.motion import Intent, act_toward, with_yaw
from evla_ros.sim.experts.skills import Hand
from evla_ros.sim.experts.style import Style
from evla_ros.sim.scenes import tabletop as scene
from evla_ros.sim.scenes.tabletop import HALF_M, TabletopScene
from evla_ros.sim.tasks.task import Task

if TYPE_CHECKING:
    from evla_ros.sim.world import World

Array = npt.NDArray[np.float64]
DOWN_XYZW = np.array([0.0, 0.5**0.5, 0.0, 0.5**0.5])
_FINGERTIP_M = 0.014
_PUSH_STANDOFF_M = HALF_M + 0.016
_KNOB_STANDOFF_M = 0.020 + 0.011
_KNOB_TO_FRONT_M = 0.042
_DRAWER_CLEARANCE_M = 0.135
_KNOB_CLEARANCE_M = 0.07
_REACH_ABOVE_M = 0.05
_TOLERANCE_M = {"stack": 0.009, "put_on_plate": 0.02, "put_in_bowl": 0.018, "put_in_drawer": 0.02}
_LIFT_M = 0.10
_SPOTS_M = np.array(
    [[x, y] for x in (0.28, 0.34, 0.40, 0.46) for y in np.arange(-0.28, 0.29, 0.08)]
)
_WAYS = {"left": np.array([0.0, 1.0, 0.0]), "right": np.array([0.0, -1.0, 0.0])}


class TabletopExpert:
    """Acts for one task in one world, from any state."""

    def __init__(self, world: World, task: Task, style: Style) -> None:
        """Take the world to look at; nothing of it is changed."""
        self._world, self._task, self._style = world, task, style
        self._objects: TabletopScene = world.scene
        self._arm = world.arms[0]
        self._limits = world.embodiment.arms[0].limits

    def act(self) -> Array:
        """Return the action [7] for the present state."""
        pose = self._arm.pose(self._world.data)
        intent = self._intent(pose.position_m)
        low = np.array(self._limits.workspace_min_m) + skills.up(_FINGERTIP_M)
        inside = np.clip(intent.position_m, low, self._limits.workspace_max_m)
        bounded = Intent(inside, intent.quaternion_xyzw, intent.gripper)
        dt_s = 1.0 / self._world.embodiment.rate_hz
        return act_toward(pose, bounded, self._style, dt_s, self._limits.max_step_m)

    def _intent(self, position: Array) -> Intent:
        family = self._task.family
        hand = Hand(position, self._arm.opening(self._world.data), DOWN_XYZW)
        held = self._held()
        if held is not None and (
            family in ("reach", "push", "open", "close") or held != self._task.slots[0]
        ):
            return self._put_down(hand, held)
        if family == "open":
            return self._open(hand)
        if family == "close":
            return self._close(hand)
        knob = self._objects.knob(self._world.data)
        if held is None and skills.is_around(hand, [knob]):
            return skills.let_go(hand, knob[2] + _KNOB_CLEARANCE_M)
        return self._with_block(hand, self._task.slots[0], held is not None)

    def _with_block(self, hand: Hand, colour: str, held: bool) -> Intent:
        data, style = self._world.data, self._style
        block = self._objects.block(data, colour)
        family = self._task.family
        if family == "reach":
            return skills.travel(hand, block + skills.up(_REACH_ABOVE_M), HALF_M + 0.045, 1.0)
        if family == "push":
            return self._push(hand, block)
        turned = self._turned(hand, colour)
        if family == "lift":
            if held:
                return skills.raise_to(turned, HALF_M + _LIFT_M, 0.0)
            return skills.grasp(turned, block, style)
        place = self._place()
        return skills.deliver(
            turned,
            block,
            place,
            style,
            held=held,
            there=self._is_there(block, place),
            tolerance_m=_TOLERANCE_M[family],
        )

    def _turned(self, hand: Hand, colour: str) -> Hand:
        yaw = self._objects.block_yaw(self._world.data, colour)
        return Hand(hand.position_m, hand.opening, with_yaw(DOWN_XYZW, yaw))

    def _place(self) -> Array:
        family, objects, data = self._task.family, self._objects, self._world.data
        if family == "stack":
            return objects.block(data, self._task.slots[1]) + skills.up(2 * HALF_M + 0.002)
        if family == "put_on_plate":
            return objects.place_of("plate") + skills.up(scene.PLATE_TOP_M + HALF_M + 0.002)
        if family == "put_in_bowl":
            return objects.place_of("bowl") + skills.up(scene.BOWL_HEIGHT_M + 0.02)
        knob = objects.knob(data)
        middle = (knob[0] + _KNOB_TO_FRONT_M + scene.CABINET_FRONT_X_M) / 2
        return np.array([middle, knob[1], _DRAWER_CLEARANCE_M])

    def _is_there(self, block: Array, place: Array) -> bool:
        away = float(np.hypot(*(block - place)[:2]))
        family = self._task.family
        if family == "stack":
            return away < 0.02 and abs(block[2] - place[2]) < 0.012
        if family == "put_on_plate":
            return away < 0.055 and block[2] < place[2] + 0.015
        if family == "put_in_bowl":
            return away < 0.045 and block[2] < place[2] + 0.015
        knob = self._objects.knob(self._world.data)
        return bool(knob[0] + 0.03 < block[0] and abs(block[1] - knob[1]) < 0.085)

    def _push(self, hand: Hand, block: Array) -> Intent:
        if self._around_a_block(hand):
            return skills.let_go(hand, hand.position_m[2] + 0.03)
        way = _WAYS[self._task.slots[1]]
        target = np.array([block[0], block[1], 0.028])
        return skills.push(hand, target, way, _PUSH_STANDOFF_M, self._style)

    def _open(self, hand: Hand) -> Intent:
        data, objects = self._world.data, self._objects
        knob = objects.knob(data)
        if objects.drawer_opening(data) > 0.108:
            return skills.let_go(hand, knob[2] + self._style.hover_m)
        grip = objects.knob_touched(data)
        if grip.issuperset(self._arm.pads):
            missing = 0.118 - objects.drawer_opening(data)
            return hand.at(np.array([hand.position_m[0] - missing, knob[1], knob[2]]), 0.0)
        return skills.grasp(hand, knob, self._style)

    def _close(self, hand: Hand) -> Intent:
        if self._around_a_block(hand):
            return skills.let_go(hand, hand.position_m[2] + 0.03)
        if self._objects.drawer_opening(self._world.data) < 0.006:
            return hand.stay(0.0)
        knob = self._objects.knob(self._world.data)
        return skills.push(hand, knob, np.array([1.0, 0.0, 0.0]), _KNOB_STANDOFF_M, self._style)

    def _put_down(self, hand: Hand, held: str) -> Intent:
        data, objects = self._world.data, self._objects
        taken = [(objects.block(data, c), 0.10) for c in objects.colours if c != held]
        taken += [(objects.place_of(name), 0.13) for name in ("bowl", "plate")]
        taken.append((objects.knob(data), 0.15))
        block = objects.block(data, held)
        spot = skills.nearest_free(block, _SPOTS_M, taken)
        return skills.carry(hand, block, np.array([*spot, HALF_M]), self._style, 0.02)

    def _held(self) -> str | None:
        for colour in self._objects.colours:
            if self._objects.touching(self._world.data, colour).issuperset(self._arm.pads):
                return colour
        return None

    def _around_a_block(self, hand: Hand) -> bool:
        blocks = [self._objects.block(self._world.data, c) for c in self._objects.colours]
        return skills.is_around(hand, blocks)
