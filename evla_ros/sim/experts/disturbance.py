# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a demonstration: the arm is bumped, the grip is lost, an object is shoved."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.sim.world import World

Array = npt.NDArray[np.float64]
_NUMBERS_PER_ARM = 7
_KINDS = ("bump", "drop", "shove")
_LASTS_TICKS = 3
_BUMP_M = 0.025
_SHOVE_M_S = 0.6


class Disturbance:
    """Strikes with a probability per tick, lasts a few ticks, and never in the labels."""

    def __init__(self, world: World, rng: np.random.Generator, probability: float) -> None:
        """Take how often it strikes per tick (0: never)."""
        self._world, self._rng, self._probability = world, rng, probability
        self._ticks_left = 0
        self._kind = ""
        self._bump = np.zeros(3)
        joints = range(world.model.njnt)
        free = mujoco.mjtJoint.mjJNT_FREE
        self._objects = [j for j in joints if world.model.jnt_type[j] == free]

    def on(self, action: Array) -> Array:
        """Return what is executed instead of an action [D]; may shove an object in the world."""
        if self._ticks_left == 0 and self._rng.random() < self._probability:
            self._strike()
        if self._ticks_left == 0:
            return action
        self._ticks_left -= 1
        parts = action.reshape(-1, _NUMBERS_PER_ARM).copy()
        if self._kind == "bump":
            parts[:, :3] = self._bump
        elif self._kind == "drop":
            parts[:, 6] = 1.0
        return np.asarray(parts.reshape(-1))

    def _strike(self) -> None:
        self._ticks_left = _LASTS_TICKS
        self._kind = str(self._rng.choice(_KINDS))
        direction = self._rng.normal(size=3) * [1.0, 1.0, 0.5]
        self._bump = _BUMP_M * direction / np.linalg.norm(direction)
        if self._kind == "shove" and self._objects:
            joint = self._objects[int(self._rng.integers(len(self._objects)))]
            dof = self._world.model.jnt_dofadr[joint]
            push = self._rng.normal(size=2)
            self._world.data.qvel[dof : dof + 2] = _SHOVE_M_S * push / np.linalg.norm(push)
