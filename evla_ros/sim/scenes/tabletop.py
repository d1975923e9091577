# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene of `tabletop_arm`: three blocks of four colours, a bowl, a plate and a drawer."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.sim.scenes.contacts import touching
from evla_ros.sim.scenes.look import Look
from evla_ros.sim.scenes.placement import scatter, yaw_quaternion_wxyz
from evla_ros.sim.tasks.task import Task

Array = npt.NDArray[np.float64]

COLOURS = {
    "red": (0.80, 0.09, 0.08),
    "green": (0.10, 0.58, 0.14),
    "blue": (0.08, 0.20, 0.80),
    "yellow": (0.90, 0.76, 0.05),
}
BLOCKS = 3
HALF_M = 0.0225
BOWL_HEIGHT_M = 0.046
PLATE_TOP_M = 0.008
DRAWER_OPEN_M = 0.09
DRAWER_SHUT_M = 0.015
CABINET_FRONT_X_M = 0.67
_LOW_M, _HIGH_M = np.array([0.29, -0.24]), np.array([0.50, 0.24])
_BLOCK_RADIUS_M, _DISH_RADIUS_M = 0.052, 0.085
_DRAWER_NEEDED = {"open": False, "close": True, "put_in_drawer": True}
_COLOUR_JITTER = 0.05


class TabletopScene:
    """Where the tabletop's objects are; built once per world, redrawn by `place` at every reset."""

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the objects in the compiled model."""
        self._model = model
        self._geoms = [model.geom(f"block_{i}").id for i in range(BLOCKS)]
        joints = [model.joint(f"block_{i}") for i in range(BLOCKS)]
        self._qpos = [int(joint.qposadr[0]) for joint in joints]
        self._dofs = [int(joint.dofadr[0]) for joint in joints]
        self._drawer_qpos = int(model.joint("drawer").qposadr[0])
        self._bodies = {name: model.body(name).id for name in ("bowl", "plate", "cabinet")}
        self._cabinet_home = model.body_pos[self._bodies["cabinet"]].copy()
        self._knob = model.site("knob").id
        self._knob_geom = model.geom("knob").id
        self._look = Look(
            model,
            tables=["table"],
            surfaces=["table_wood", "table_speckle", "table_cloth", "table_plain"],
            fixed=["primary"],
        )
        self._tint: Array = np.ones((len(COLOURS), 3))
        self.colours: tuple[str, ...] = tuple(COLOURS)[:BLOCKS]
        self.start: dict[str, Array] = {}

    def plain_look(self) -> None:
        """Return to the look of the MJCF file and nominal colours."""
        self._look.plain()
        self._tint = np.zeros((len(COLOURS), 3))

    def randomize_look(self, rng: np.random.Generator) -> None:
        """Draw lights, camera pose, table surface and shades of the colours."""
        self._look.randomize(rng)
        self._tint = rng.uniform(-_COLOUR_JITTER, _COLOUR_JITTER, (len(COLOURS), 3))

    def place(self, data: mujoco.MjData, task: Task, rng: np.random.Generator) -> bool:
        """Draw colours, drawer and places; False when the objects do not fit this time."""
        self._draw_colours(task, rng)
        wanted = _DRAWER_NEEDED.get(task.family, bool(rng.random() < 0.3))
        data.qpos[self._drawer_qpos] = rng.uniform(0.10, 0.135) if wanted else 0.0
        self._model.body_pos[self._bodies["cabinet"]] = self._cabinet_home + np.array(
            [0.0, rng.uniform(-0.06, 0.06), 0.0]
        )
        points = scatter(
            rng,
            _LOW_M,
            _HIGH_M,
            [_DISH_RADIUS_M] * 2 + [_BLOCK_RADIUS_M] * BLOCKS,
            self._drawer_discs() if wanted else (),
        )
        if points is None:
            return False
        for name, point in zip(("bowl", "plate"), points, strict=False):
            self._model.body_pos[self._bodies[name], :2] = point
        for adr, point in zip(self._qpos, points[2:], strict=True):
            data.qpos[adr : adr + 3] = [*point, HALF_M]
            data.qpos[adr + 3 : adr + 7] = yaw_quaternion_wxyz(rng.uniform(-0.35, 0.35))
        return True

    def start_episode(self, data: mujoco.MjData) -> None:
        """Remember where the blocks are."""
        self.start = {colour: self.block(data, colour).copy() for colour in self.colours}

    def block(self, data: mujoco.MjData, colour: str) -> Array:
        """Return the centre [3] of a block in metres."""
        adr = self._qpos[self.colours.index(colour)]
        return np.array(data.qpos[adr : adr + 3])

    def block_yaw(self, data: mujoco.MjData, colour: str) -> float:
        """Return a block's turn about z in [-pi/4, pi/4): a cube repeats every quarter turn."""
        adr = self._qpos[self.colours.index(colour)]
        w, x, y, z = data.qpos[adr + 3 : adr + 7]
        yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
        return float((yaw + np.pi / 4) % (np.pi / 2) - np.pi / 4)

    def block_speed(self, data: mujoco.MjData, colour: str) -> float:
        """Return a block's speed in m/s."""
        adr = self._dofs[self.colours.index(colour)]
        return float(np.sqrt(np.sum(data.qvel[adr : adr + 3] ** 2)))

    def touching(self, data: mujoco.MjData, colour: str) -> set[int]:
        """Return the geoms in contact with a block."""
        return touching(data, self._geoms[self.colours.index(colour)])

    def geom(self, colour: str) -> int:
        """Return the geom id of a block."""
        return int(self._geoms[self.colours.index(colour)])

    def place_of(self, name: str) -> Array:
        """Return the centre [3] of the bowl or the plate on the table, in metres."""
        return np.array(self._model.body_pos[self._bodies[name]])

    def drawer_opening(self, data: mujoco.MjData) -> float:
        """Return how far the drawer is out, in metres."""
        return float(data.qpos[self._drawer_qpos])

    def knob(self, data: mujoco.MjData) -> Array:
        """Return the centre [3] of the drawer's knob in metres."""
        return np.array(data.site_xpos[self._knob])

    def knob_touched(self, data: mujoco.MjData) -> set[int]:
        """Return the geoms in contact with the knob."""
        return touching(data, self._knob_geom)

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

    def _drawer_discs(self) -> list[tuple[Array, float]]:
        y = float(self._model.body_pos[self._bodies["cabinet"], 1])
        return [(np.array([0.56, y + dy]), 0.085) for dy in (-0.08, 0.0, 0.08)]
