# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene of `humanoid_upper_body`: three blocks and two of a bowl, a plate, a bar and a tray."""

from __future__ import annotations

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.scenes.blocks import BLOCK_NAMES, BLOCK_RADIUS_M, BLOCKS, touching
from evla_ros.sim.scenes.placement import scatter
from evla_ros.sim.scenes.table import DISH_RADIUS_M, TableScene
from evla_ros.sim.tasks.task import Task

BAR_REST_M = 0.016
_RADII_M = {"bowl": DISH_RADIUS_M, "plate": DISH_RADIUS_M, "bar": 0.10, "tray": 0.145}
_REST_M = {"bowl": 0.0, "plate": 0.0, "bar": BAR_REST_M, "tray": 0.0}
_LOW_M, _HIGH_M = np.array([0.30, -0.27]), np.array([0.52, 0.27])
_PARKED_M = {"bowl": (0.60, -0.35), "plate": (0.60, 0.35), "bar": (0.60, 0.0), "tray": (0.70, 0.0)}
_FLOOR_M = -0.95
_NEEDS = {"put_in_bowl": "bowl", "put_on_plate": "plate", "hand_over": "bar", "lift_tray": "tray"}
_MAX_YAW_RAD = 0.25
_PART_NAMES = {
    "bar_far": "far bar end",
    "bar_near": "near bar end",
    "tray_left": "left handle",
    "tray_right": "right handle",
}


class HumanoidScene(TableScene):
    """Where the humanoid's objects are; props that an episode does not use lie under the table."""

    names = (*BLOCK_NAMES, *_RADII_M, *_PART_NAMES.values())

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the objects in the compiled model."""
        super().__init__(model, props=tuple(_RADII_M), camera="head")
        self._sites = {name: model.site(name).id for name in _PART_NAMES}
        self._parts = {name: model.geom(name).id for name in ("bar", "tray_left", "tray_right")}

    def arrange(self, data: mujoco.MjData, task: Task, rng: np.random.Generator) -> bool:
        """Draw colours, props and positions; False when the objects do not fit this time."""
        self._draw_colours(task, rng)
        props = self._draw_props(task, rng)
        radii_m = [_RADII_M[name] for name in props] + [BLOCK_RADIUS_M] * BLOCKS
        points = scatter(rng, _LOW_M, _HIGH_M, radii_m)
        if points is None:
            return False
        for name, parked in _PARKED_M.items():
            self._put(data, name, np.array([*parked, _FLOOR_M + _REST_M[name] + 0.001]))
        for name, point in zip(props, points, strict=False):
            position_m = np.array([*point, _REST_M[name] + 0.0005])
            self._put(data, name, position_m, rng.uniform(-_MAX_YAW_RAD, _MAX_YAW_RAD))
        self._put_blocks(data, points[len(props) :], rng)
        return True

    def positions(self, data: mujoco.MjData) -> dict[str, Array]:
        """Return name -> position [3] in metres; bar and tray also by the parts to hold."""
        props = self.props_here(data)
        parts = {
            name: self.part(data, part)
            for part, name in _PART_NAMES.items()
            if part.split("_")[0] in props
        }
        return {**super().positions(data), **parts}

    def tilt_of(self, data: mujoco.MjData, prop: str) -> float:
        """Return the angle in radians between a prop's z axis and the vertical."""
        return float(np.arccos(np.clip(data.xmat[self._bodies[prop]][8], -1.0, 1.0)))

    def part(self, data: mujoco.MjData, name: str) -> Array:
        """Return where to hold [3] in metres: bar_far, bar_near, tray_left or tray_right."""
        return np.array(data.site_xpos[self._sites[name]])

    def part_touched(self, data: mujoco.MjData, name: str) -> set[int]:
        """Return the geoms in contact with bar, tray_left or tray_right."""
        return touching(data, self._parts[name])

    def _draw_props(self, task: Task, rng: np.random.Generator) -> list[str]:
        needed = _NEEDS.get(task.family, str(rng.choice(["bowl", "plate", "bar"])))
        others = [name for name in ("bowl", "plate", "bar") if name != needed]
        return [needed] if needed == "tray" else [needed, str(rng.choice(others))]
