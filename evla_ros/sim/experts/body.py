# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an expert with several hands sees of itself: hands, what they hold, where idle ones go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evla_ros.sim.experts import skills
from evla_ros.sim.experts.motion import Intent, with_yaw
from evla_ros.sim.experts.skills import Hand
from evla_ros.sim.experts.style import Style
from evla_ros.sim.scenes.blocks import HALF_M
from evla_ros.sim.scenes.humanoid import HumanoidScene

if TYPE_CHECKING:
    from evla_ros.sim.world import World

Array = npt.NDArray[np.float64]
DOWN_XYZW = np.array([0.0, 0.5**0.5, 0.0, 0.5**0.5])
LEFT, RIGHT = 0, 1
SIGNS = (1.0, -1.0)
SIDES = ("left", "right")
_IDLE_HEIGHT_M = 0.17
_ELBOW_ROOM_M = 0.19
_LET_GO = 0.75
_AROUND_M = 0.04
_DROP_M = 0.03
_SPOTS_X_M = (0.30, 0.36, 0.42, 0.48)
_SPOTS_Y_M = (0.0, 0.07, 0.14, 0.21, 0.28)
PROP_ROOM_M = {"bowl": 0.13, "plate": 0.13, "bar": 0.14, "tray": 0.20}


class Body:
    """Two hands (left is 0) over one scene, read afresh at every call."""

    def __init__(self, world: World) -> None:
        """Take the world to look at; nothing of it is changed."""
        self._world = world
        self.objects: HumanoidScene = world.scene

    def hand(self, index: int, yaw_rad: float = 0.0) -> Hand:
        """Return a hand that points down, turned about the vertical."""
        arm, data = self._world.arms[index], self._world.data
        return Hand(arm.pose(data).position_m, arm.opening(data), with_yaw(DOWN_XYZW, yaw_rad))

    def hand_at_block(self, index: int, colour: str) -> Hand:
        """Return a hand turned as a block lies."""
        return self.hand(index, self.objects.block_yaw(self._world.data, colour))

    def block(self, colour: str) -> Array:
        """Return the centre [3] of a block."""
        return self.objects.block(self._world.data, colour)

    def holds_block(self, index: int, colour: str) -> bool:
        """Return whether both fingers of a hand touch a block."""
        touched = self.objects.touching(self._world.data, colour)
        return touched.issuperset(self._world.arms[index].pads)

    def holds_part(self, index: int, name: str) -> bool:
        """Return whether both fingers of a hand touch bar, tray_left or tray_right."""
        touched = self.objects.part_touched(self._world.data, name)
        return touched.issuperset(self._world.arms[index].pads)

    def place_of(self, name: str) -> Array:
        """Return the position [3] of a prop."""
        return self.objects.place_of(self._world.data, name)

    def part(self, name: str) -> Array:
        """Return where to hold a prop [3]."""
        return self.objects.part(self._world.data, name)

    def yaw_of(self, name: str) -> float:
        """Return the turn of a prop about the vertical in radians."""
        return self.objects.yaw_of(self._world.data, name)

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
        for colour in self.objects.colours:
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
        if hand.opening < _LET_GO and self._holds_anything(index):
            return False
        parts = ("bar_far", "bar_near", "tray_left", "tray_right")
        points = [self.part(name) for name in parts if name.split("_")[0] not in allowed]
        return skills.is_around(hand, points)

    def _holds_anything(self, index: int) -> bool:
        return any(self.holds_block(index, colour) for colour in self.objects.colours)

    def put_down(self, index: int, held: str, style: Style) -> Intent:
        """Bring a held block to a free spot and let go; lower a held prop where it is."""
        hand = self.hand(index)
        if held in ("bar", "tray"):
            height = float(self.place_of(held)[2])
            lower = hand.position_m - skills.up(height)
            return hand.stay(1.0) if height < _DROP_M else hand.at(lower, 0.0)
        data, objects = self._world.data, self.objects
        taken = [(objects.block(data, c), 0.10) for c in objects.colours if c != held]
        props = [name for name in PROP_ROOM_M if objects.is_here(data, name)]
        taken += [(objects.place_of(data, name), PROP_ROOM_M[name]) for name in props]
        grid = np.array([[x, y * SIGNS[index]] for x in _SPOTS_X_M for y in _SPOTS_Y_M])
        block = self.block(held)
        spot = skills.nearest_free(block, grid, taken)
        return skills.carry(hand, block, np.array([*spot, HALF_M]), style, 0.02)
