# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene of `tabletop_arm`: three blocks of four colours, a bowl, a plate and a drawer."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.sim.scenes.blocks import (
    BLOCK_NAMES,
    BLOCK_RADIUS_M,
    BLOCKS,
    COLOURS,
    HALF_M,
    BlockScene,
)
from evla_ros.sim.scenes.contacts import touching
from evla_ros.sim.scenes.look import Look
from evla_ros.sim.scenes.placement import scatter
from evla_ros.sim.tasks.task import Task

Array = npt.NDArray[np.float64]

__all__ = ["COLOURS", "HALF_M", "TabletopScene"]

BOWL_HEIGHT_M = 0.046
PLATE_TOP_M = 0.008
DRAWER_OPEN_M = 0.09
DRAWER_SHUT_M = 0.015
CABINET_FRONT_X_M = 0.67
_LOW_M, _HIGH_M = np.array([0.29, -0.24]), np.array([0.50, 0.24])
_DISH_RADIUS_M = 0.085
_DRAWER_NEEDED = {"open": False, "close": True, "put_in_drawer": True}


class TabletopScene(BlockScene):
    """Where the tabletop's objects are; built once per world, redrawn by `place` at every reset."""

    names = (*BLOCK_NAMES, "bowl", "plate", "drawer")

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the objects in the compiled model."""
        super().__init__(model)
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

    def plain_look(self) -> None:
        """Return to the look of the MJCF file and nominal colours."""
        self._look.plain()
        self._tint = np.zeros((len(COLOURS), 3))

    def randomize_look(self, rng: np.random.Generator) -> None:
        """Draw lights, camera pose, table surface and shades of the colours."""
        self._look.randomize(rng)
        self._draw_shades(rng)

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
            [_DISH_RADIUS_M] * 2 + [BLOCK_RADIUS_M] * BLOCKS,
            self._drawer_discs() if wanted else (),
        )
        if points is None:
            return False
        for name, point in zip(("bowl", "plate"), points, strict=False):
            self._model.body_pos[self._bodies[name], :2] = point
        self._put_blocks(data, points[2:], rng)
        return True

    def places(self, data: mujoco.MjData) -> dict[str, Array]:
        """Return name -> position [3] in metres of the named things that are here."""
        dishes = {name: self.place_of(name) for name in ("bowl", "plate")}
        return {**self.block_places(data), **dishes, "drawer": self.knob(data)}

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

    def _drawer_discs(self) -> list[tuple[Array, float]]:
        y = float(self._model.body_pos[self._bodies["cabinet"], 1])
        return [(np.array([0.56, y + dy]), 0.085) for dy in (-0.08, 0.0, 0.08)]
