# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene of `humanoid_upper_body`: three blocks and two of a bowl, a plate, a bar and a tray."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.sim.scenes.blocks import (
    BLOCK_NAMES,
    BLOCK_RADIUS_M,
    BLOCKS,
    COLOURS,
    BlockScene,
    yaw_of,
)
from evla_ros.sim.scenes.contacts import touching
from evla_ros.sim.scenes.look import Look
from evla_ros.sim.scenes.placement import scatter, yaw_quaternion_wxyz
from evla_ros.sim.tasks.task import Task

Array = npt.NDArray[np.float64]

BOWL_HEIGHT_M = 0.046
PLATE_TOP_M = 0.008
BAR_REST_M = 0.016
ABSENT_BELOW_M = -0.2
RADII_M = {"bowl": 0.085, "plate": 0.085, "bar": 0.10, "tray": 0.145}
REST_M = {"bowl": 0.0, "plate": 0.0, "bar": BAR_REST_M, "tray": 0.0}
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


class HumanoidScene(BlockScene):
    """Where the humanoid's objects are; props that an episode does not use lie under the table."""

    names = (*BLOCK_NAMES, *RADII_M, *_PART_NAMES.values())

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the objects in the compiled model."""
        super().__init__(model)
        self._bodies = {name: model.body(name).id for name in RADII_M}
        self._free = {name: model.joint(name) for name in ("bar", "tray")}
        self._sites = {
            name: model.site(name).id for name in ("bar_far", "bar_near", "tray_left", "tray_right")
        }
        self._parts = {name: model.geom(name).id for name in ("bar", "tray_left", "tray_right")}
        self._look = Look(
            model,
            tables=["table"],
            surfaces=["table_wood", "table_speckle", "table_cloth", "table_plain"],
            fixed=["head"],
        )

    def plain_look(self) -> None:
        """Return to the look of the MJCF file and nominal colours."""
        self._look.plain()
        self._tint = np.zeros((len(COLOURS), 3))

    def randomize_look(self, rng: np.random.Generator) -> None:
        """Draw lights, head camera pose, table surface and shades of the colours."""
        self._look.randomize(rng)
        self._draw_shades(rng)

    def place(self, data: mujoco.MjData, task: Task, rng: np.random.Generator) -> bool:
        """Draw colours, props and places; False when the objects do not fit this time."""
        self._draw_colours(task, rng)
        props = self._draw_props(task, rng)
        radii = [RADII_M[name] for name in props] + [BLOCK_RADIUS_M] * BLOCKS
        points = scatter(rng, _LOW_M, _HIGH_M, radii)
        if points is None:
            return False
        for name, parked in _PARKED_M.items():
            self._put(data, name, np.array([*parked, _FLOOR_M + REST_M[name] + 0.001]), 0.0)
        for name, point in zip(props, points, strict=False):
            spot = np.array([*point, REST_M[name] + 0.0005])
            self._put(data, name, spot, rng.uniform(-_MAX_YAW_RAD, _MAX_YAW_RAD))
        self._put_blocks(data, points[len(props) :], rng)
        return True

    def places(self, data: mujoco.MjData) -> dict[str, Array]:
        """Return name -> position [3] in metres of the named things that are here."""
        props = {n: self.place_of(data, n) for n in RADII_M if self.is_here(data, n)}
        held_by = {
            name: self.part(data, part)
            for part, name in _PART_NAMES.items()
            if part.split("_")[0] in props
        }
        return {**self.block_places(data), **props, **held_by}

    def is_here(self, data: mujoco.MjData, name: str) -> bool:
        """Return whether a prop is on (or above) the table."""
        return bool(self.place_of(data, name)[2] > ABSENT_BELOW_M)

    def place_of(self, data: mujoco.MjData, name: str) -> Array:
        """Return the position [3] in metres of the bowl, the plate, the bar or the tray."""
        if name in self._free:
            adr = int(self._free[name].qposadr[0])
            return np.array(data.qpos[adr : adr + 3])
        return np.array(self._model.body_pos[self._bodies[name]])

    def yaw_of(self, data: mujoco.MjData, name: str) -> float:
        """Return the turn about z in radians of the bar or the tray."""
        adr = int(self._free[name].qposadr[0])
        return yaw_of(data.qpos[adr + 3 : adr + 7])

    def tilt_of(self, data: mujoco.MjData, name: str) -> float:
        """Return the angle in radians between a prop's z axis and the vertical."""
        return float(np.arccos(np.clip(data.xmat[self._bodies[name]][8], -1.0, 1.0)))

    def part(self, data: mujoco.MjData, name: str) -> Array:
        """Return where to hold [3]: bar_far, bar_near, tray_left or tray_right."""
        return np.array(data.site_xpos[self._sites[name]])

    def part_touched(self, data: mujoco.MjData, name: str) -> set[int]:
        """Return the geoms in contact with bar, tray_left or tray_right."""
        return touching(data, self._parts[name])

    def _draw_props(self, task: Task, rng: np.random.Generator) -> list[str]:
        needed = _NEEDS.get(task.family, str(rng.choice(["bowl", "plate", "bar"])))
        others = [name for name in ("bowl", "plate", "bar") if name != needed]
        return [needed] if needed == "tray" else [needed, str(rng.choice(others))]

    def _put(self, data: mujoco.MjData, name: str, position: Array, yaw_rad: float) -> None:
        if name not in self._free:
            self._model.body_pos[self._bodies[name]] = position
            return
        adr = int(self._free[name].qposadr[0])
        data.qpos[adr : adr + 3] = position
        data.qpos[adr + 3 : adr + 7] = yaw_quaternion_wxyz(yaw_rad)
