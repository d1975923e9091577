# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coloured blocks, which every scene has: where they are, how they lie, who touches them."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.errors import SimError
from evla_ros.sim.scenes.placement import yaw_quaternion_wxyz
from evla_ros.sim.tasks.task import Task

COLOURS = {
    "red": (0.80, 0.09, 0.08),
    "green": (0.10, 0.58, 0.14),
    "blue": (0.08, 0.20, 0.80),
    "yellow": (0.90, 0.76, 0.05),
}
BLOCKS = 3
BLOCK_NAMES = tuple(f"{colour} block" for colour in COLOURS)
HALF_M = 0.0225
BLOCK_RADIUS_M = 0.052
_MAX_YAW_RAD = 0.35
_COLOUR_JITTER = 0.05


def touching(data: mujoco.MjData, geom: int) -> set[int]:
    """Return the geoms in contact with a geom."""
    pairs = data.contact.geom[: data.ncon]
    hits = pairs[(pairs == geom).any(axis=1)]
    return set(np.unique(hits).tolist()) - {geom}


def colours_of(task: Task) -> list[str]:
    """Return the colours that a task names, in order."""
    return [word for slot in task.slots for word in slot.split() if word in COLOURS]


class BlockScene:
    """Three cubes that take their colours anew in every episode."""

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the blocks in the compiled model."""
        self._model = model
        self._geoms = [model.geom(f"block_{i}").id for i in range(BLOCKS)]
        joints = [model.joint(f"block_{i}") for i in range(BLOCKS)]
        self._qpos = [int(joint.qposadr[0]) for joint in joints]
        self._dofs = [int(joint.dofadr[0]) for joint in joints]
        self._tint: Array = np.zeros((len(COLOURS), 3))
        self.colours: tuple[str, ...] = tuple(COLOURS)[:BLOCKS]
        self.start: dict[str, Array] = {}

    def remember_start(self, data: mujoco.MjData) -> None:
        """Remember where the blocks are now: a push is measured from here."""
        self.start = {colour: self.block(data, colour).copy() for colour in self.colours}

    def has_blocks_of(self, task: Task) -> bool:
        """Return whether every block that a task names is here."""
        return set(colours_of(task)) <= set(self.colours)

    def block(self, data: mujoco.MjData, colour: str) -> Array:
        """Return the centre [3] of a block in metres."""
        adr = self._qpos[self._index(colour)]
        return np.array(data.qpos[adr : adr + 3])

    def block_positions(self, data: mujoco.MjData) -> dict[str, Array]:
        """Return name -> centre [3] in metres of the blocks of this episode."""
        return {f"{colour} block": self.block(data, colour) for colour in self.colours}

    def block_yaw(self, data: mujoco.MjData, colour: str) -> float:
        """Return a block's turn about z in [-pi/4, pi/4): a cube repeats every quarter turn."""
        adr = self._qpos[self._index(colour)]
        return float((yaw_of(data.qpos[adr + 3 : adr + 7]) + np.pi / 4) % (np.pi / 2) - np.pi / 4)

    def block_speed(self, data: mujoco.MjData, colour: str) -> float:
        """Return a block's speed in m/s."""
        adr = self._dofs[self._index(colour)]
        return float(np.sqrt(np.sum(data.qvel[adr : adr + 3] ** 2)))

    def touching(self, data: mujoco.MjData, colour: str) -> set[int]:
        """Return the geoms in contact with a block."""
        return touching(data, self.geom(colour))

    def geom(self, colour: str) -> int:
        """Return the geom id of a block."""
        return int(self._geoms[self._index(colour)])

    def _index(self, colour: str) -> int:
        if colour not in self.colours:
            raise SimError(f"no {colour} block in this scene; it has {', '.join(self.colours)}")
        return self.colours.index(colour)

    def _draw_shades(self, rng: np.random.Generator) -> None:
        self._tint = rng.uniform(-_COLOUR_JITTER, _COLOUR_JITTER, (len(COLOURS), 3))

    def _draw_colours(self, task: Task, rng: np.random.Generator) -> None:
        needed = [slot for slot in task.slots if slot in COLOURS]
        others = [colour for colour in COLOURS if colour not in needed]
        rng.shuffle(others)
        chosen = (needed + others)[:BLOCKS]
        rng.shuffle(chosen)
        self.colours = tuple(chosen)
        for geom, colour in zip(self._geoms, chosen, strict=True):
            tint = self._tint[list(COLOURS).index(colour)]
            self._model.geom_rgba[geom, :3] = np.clip(np.array(COLOURS[colour]) + tint, 0.0, 1.0)

    def _put_blocks(
        self, data: mujoco.MjData, points: Sequence[Array], rng: np.random.Generator
    ) -> None:
        for adr, point in zip(self._qpos, points, strict=True):
            data.qpos[adr : adr + 3] = [*point, HALF_M]
            yaw = rng.uniform(-_MAX_YAW_RAD, _MAX_YAW_RAD)
            data.qpos[adr + 3 : adr + 7] = yaw_quaternion_wxyz(yaw)


def yaw_of(quaternion_wxyz: Array) -> float:
    """Return the turn about z in radians of MuJoCo's quaternion [4] (w first)."""
    w, x, y, z = quaternion_wxyz
    return float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
