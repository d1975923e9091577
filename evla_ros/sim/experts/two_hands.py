# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an expert with two hands adds: where an idle one goes, and what it has no business with."""

from __future__ import annotations

import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.experts import skills
from evla_ros.sim.experts.block_tasks import set_aside
from evla_ros.sim.experts.body import DOWN_XYZW, Body
from evla_ros.sim.experts.motion import Intent, with_yaw
from evla_ros.sim.experts.style import Style
from evla_ros.sim.scenes.humanoid import HumanoidScene
from evla_ros.sim.simulation import Simulation

LEFT, RIGHT = 0, 1
SIGNS = (1.0, -1.0)
_IDLE_HEIGHT_M = 0.17
_ELBOW_ROOM_M = 0.19
_LET_GO = 0.75
_AROUND_M = 0.04
_DROP_M = 0.03
_SPOTS_X_M = (0.30, 0.36, 0.42, 0.48)
_SPOTS_Y_M = (0.0, 0.07, 0.14, 0.21, 0.28)
_PROP_ROOM_M = {"bowl": 0.13, "plate": 0.13, "bar": 0.14, "tray": 0.20}


class TwoHands(Body):
    """The hands of the humanoid: left is 0, right is 1."""

    def __init__(self, sim: Simulation) -> None:
        """Take the simulation to look at; nothing of it is changed."""
        super().__init__(sim, with_yaw(DOWN_XYZW, 0.0))
        self._objects: HumanoidScene = sim.scene

    def holds_part(self, index: int, name: str) -> bool:
        """Return whether both fingers of a hand touch bar, tray_left or tray_right."""
        touched = self._objects.part_touched(self.sim.data, name)
        return touched.issuperset(self.sim.arms[index].pads)

    def part(self, name: str) -> Array:
        """Return where to hold a prop, [3] in metres: bar_far, bar_near, tray_left, tray_right."""
        return self._objects.part(self.sim.data, name)

    def yaw_of(self, prop: str) -> float:
        """Return the turn of the bar or the tray about the vertical in radians."""
        return self._objects.yaw_of(self.sim.data, prop)

    def nearest_hand(self, colour: str) -> int:
        """Return the hand that holds a block, or is around it, or on whose side it lies."""
        for index in (LEFT, RIGHT):
            if self.holds_block(index, colour):
                return index
        block = self.block(colour)
        for index in (LEFT, RIGHT):
            if float(np.linalg.norm(self.hand(index).position_m - block)) < _AROUND_M:
                return index
        return LEFT if block[1] > 0.0 else RIGHT

    def idle(self, index: int) -> Intent:
        """Return the intent of a hand without work: open, up, out of the other hand's way."""
        hand, other = self.hand(index), self.hand(1 - index)
        if hand.opening < _LET_GO:
            return hand.stay(1.0)
        goal = hand.position_m.copy()
        goal[2] = max(goal[2], _IDLE_HEIGHT_M)
        if goal[2] - hand.position_m[2] > 0.03:
            return hand.at(goal, 1.0)
        room = (hand.position_m[1] - other.position_m[1]) * SIGNS[index]
        goal[1] += SIGNS[index] * max(0.0, _ELBOW_ROOM_M - room)
        return hand.at(goal, 1.0)

    def stray(self, index: int, allowed: set[str]) -> str | None:
        """Return what a hand holds and should not: a colour, `bar` or `tray`; None when nothing."""
        for colour in self.scene.colours:
            if colour not in allowed and self.holds_block(index, colour):
                return colour
        for name in ("bar", "tray_left", "tray_right"):
            prop = name.split("_")[0]
            if prop not in allowed and self.holds_part(index, name):
                return prop
        return None

    def is_around_a_prop(self, index: int, allowed: set[str]) -> bool:
        """Return whether open fingers straddle a bar or handle that they have no business with."""
        hand = self.hand(index)
        if hand.opening < _LET_GO and self.held_block(index) is not None:
            return False
        parts = ("bar_far", "bar_near", "tray_left", "tray_right")
        points = [self.part(name) for name in parts if name.split("_")[0] not in allowed]
        return skills.is_around(hand, points)

    def put_down(self, index: int, held: str, style: Style) -> Intent:
        """Bring a held block to a free spot and let go; lower a held prop where it is."""
        if held in ("bar", "tray"):
            hand, height_m = self.hand(index), float(self.position_of(held)[2])
            lower = hand.position_m - skills.up(height_m)
            return hand.stay(1.0) if height_m < _DROP_M else hand.at(lower, 0.0)
        props = self.scene.props_here(self.sim.data)
        occupied = [(self.position_of(prop), _PROP_ROOM_M[prop]) for prop in props]
        spots_m = np.array([[x, y * SIGNS[index]] for x in _SPOTS_X_M for y in _SPOTS_Y_M])
        return set_aside(self, index, held, spots_m, occupied, style)
