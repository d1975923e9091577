# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene of `tabletop_arm`: three blocks of four colours, a bowl, a plate and a drawer."""

from __future__ import annotations

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.scenes.blocks import BLOCK_NAMES, BLOCK_RADIUS_M, BLOCKS
from evla_ros.sim.scenes.drawer import Drawer
from evla_ros.sim.scenes.placement import scatter
from evla_ros.sim.scenes.table import DISH_RADIUS_M, TableScene
from evla_ros.sim.tasks.task import Task

DRAWER_OPEN_M = 0.09
DRAWER_SHUT_M = 0.015
CABINET_FRONT_X_M = 0.67
_DISHES = ("bowl", "plate")
_LOW_M, _HIGH_M = np.array([0.29, -0.24]), np.array([0.50, 0.24])
_DRAWER_IS_OPEN = {"open": False, "close": True, "put_in_drawer": True}


class TabletopScene(TableScene):
    """Where the tabletop's objects are; built once per world, arranged anew at every reset."""

    names = (*BLOCK_NAMES, *_DISHES, "drawer")

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the objects in the compiled model."""
        super().__init__(model, props=_DISHES, camera="primary")
        self.drawer = Drawer(model)
        self._cabinet = model.body("cabinet").id
        self._cabinet_home = model.body_pos[self._cabinet].copy()

    def arrange(self, data: mujoco.MjData, task: Task, rng: np.random.Generator) -> bool:
        """Draw colours, drawer and positions; False when the objects do not fit this time."""
        self._draw_colours(task, rng)
        is_open = _DRAWER_IS_OPEN.get(task.family, bool(rng.random() < 0.3))
        self.drawer.pull_out(data, rng.uniform(0.10, 0.135) if is_open else 0.0)
        self._model.body_pos[self._cabinet] = self._cabinet_home + np.array(
            [0.0, rng.uniform(-0.06, 0.06), 0.0]
        )
        radii_m = [DISH_RADIUS_M] * len(_DISHES) + [BLOCK_RADIUS_M] * BLOCKS
        drawer = self._drawer_discs() if is_open else ()
        points = scatter(rng, _LOW_M, _HIGH_M, radii_m, drawer)
        if points is None:
            return False
        for name, point in zip(_DISHES, points, strict=False):
            height_m = self.position_of(data, name)[2]
            self._put(data, name, np.array([*point, height_m]))
        self._put_blocks(data, points[len(_DISHES) :], rng)
        return True

    def positions(self, data: mujoco.MjData) -> dict[str, Array]:
        """Return name -> position [3] in metres; the drawer's is its knob's."""
        return {**super().positions(data), "drawer": self.drawer.knob(data)}

    def is_behind_front(self, data: mujoco.MjData, point_m: Array) -> bool:
        """Return whether a point [3] is between the drawer's front and its sides, at any height."""
        knob = self.drawer.knob(data)
        return bool(knob[0] + 0.03 < point_m[0] and abs(point_m[1] - knob[1]) < 0.085)

    def _drawer_discs(self) -> list[tuple[Array, float]]:
        y = float(self._model.body_pos[self._cabinet, 1])
        return [(np.array([0.56, y + dy]), 0.085) for dy in (-0.08, 0.0, 0.08)]
