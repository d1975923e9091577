# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an expert sees of itself: its hands, where they are, which blocks they hold."""

from __future__ import annotations

import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.experts import skills
from evla_ros.sim.experts.motion import Intent, act_toward, with_yaw
from evla_ros.sim.experts.skills import Hand
from evla_ros.sim.experts.style import Style
from evla_ros.sim.scenes.table import TableScene
from evla_ros.sim.simulation import Simulation

# The tool's z axis points at the table.
DOWN_XYZW = np.array([0.0, 0.5**0.5, 0.0, 0.5**0.5])
_FINGERTIP_M = 0.014


class Body:
    """One or more hands over a table, by arm number; read afresh at every call."""

    def __init__(self, sim: Simulation, down_xyzw: Array = DOWN_XYZW) -> None:
        """Take the simulation to look at; nothing of it is changed.

        Args:
            sim: robot and objects.
            down_xyzw: orientation of a hand that points down and is not turned.
        """
        self.sim = sim
        self.scene: TableScene = sim.scene
        self._down_xyzw = down_xyzw

    def hand(self, index: int, yaw_rad: float | None = None) -> Hand:
        """Return a hand that should point down, turned about the vertical when asked."""
        arm, data = self.sim.arms[index], self.sim.data
        turned = self._down_xyzw if yaw_rad is None else with_yaw(DOWN_XYZW, yaw_rad)
        return Hand(arm.pose(data).position_m, arm.opening(data), turned)

    def hand_at_block(self, index: int, colour: str) -> Hand:
        """Return a hand that should be turned as a block lies."""
        return self.hand(index, self.scene.block_yaw(self.sim.data, colour))

    def block(self, colour: str) -> Array:
        """Return the centre [3] of a block in metres."""
        return self.scene.block(self.sim.data, colour)

    def position_of(self, prop: str) -> Array:
        """Return the position [3] of a prop in metres."""
        return self.scene.position_of(self.sim.data, prop)

    def holds_block(self, index: int, colour: str) -> bool:
        """Return whether both fingers of a hand touch a block."""
        touched = self.scene.touching(self.sim.data, colour)
        return touched.issuperset(self.sim.arms[index].pads)

    def held_block(self, index: int) -> str | None:
        """Return the colour of the block that a hand holds, None when it holds none."""
        held = (colour for colour in self.scene.colours if self.holds_block(index, colour))
        return next(held, None)

    def is_around_a_block(self, index: int) -> bool:
        """Return whether open fingers straddle a block."""
        blocks = [self.block(colour) for colour in self.scene.colours]
        return skills.is_around(self.hand(index), blocks)

    def action(self, index: int, intent: Intent, style: Style) -> Array:
        """Return the 7 numbers that bring a hand toward an intent, inside its workspace."""
        embodiment = self.sim.embodiment
        limits = embodiment.arms[index].limits
        low = np.maximum(limits.workspace_min_m, [-np.inf, -np.inf, _FINGERTIP_M])
        inside = np.clip(intent.position_m, low, limits.workspace_max_m)
        bounded = Intent(inside, intent.quaternion_xyzw, intent.gripper)
        pose = self.sim.arms[index].pose(self.sim.data)
        return act_toward(pose, bounded, style, 1.0 / embodiment.rate_hz, limits.max_step_m)
