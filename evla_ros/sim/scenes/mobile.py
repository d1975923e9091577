# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scene of `mobile_manipulator`: blocks on two tables, a bin across the room, a drawer."""

from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.sim.scenes.blocks import (
    BLOCK_NAMES,
    BLOCK_RADIUS_M,
    BLOCKS,
    HALF_M,
    BlockScene,
)
from evla_ros.sim.scenes.domain_randomization import DomainRandomization
from evla_ros.sim.scenes.drawer import Drawer
from evla_ros.sim.scenes.placement import scatter, yaw_quaternion_wxyz
from evla_ros.sim.tasks.task import Task

Array = npt.NDArray[np.float64]
DRAWER_OPEN_M, DRAWER_SHUT_M = 0.09, 0.015
BIN_M, BIN_HALF_M, BIN_RIM_M = np.array([0.0, 1.45]), 0.12, 0.36
_SURFACES = ("table_wood", "table_speckle", "table_cloth", "table_plain")
_MAX_YAW_RAD = 0.35
_START_LOW, _START_HIGH = np.array([0.0, -0.35, -0.5]), np.array([0.5, 0.35, 0.5])
_LIFT_M = (0.02, 0.30)


class Table(NamedTuple):
    """Where blocks may lie on a table: two corners [2] and the height of its top, in metres."""

    low_m: Array
    high_m: Array
    top_m: float

    def has(self, point_m: Array) -> bool:
        """Return whether a block's centre [3] lies on its top."""
        inside = (self.low_m - 0.08 <= point_m[:2]) & (point_m[:2] <= self.high_m + 0.08)
        return bool(inside.all() and abs(point_m[2] - self.top_m - HALF_M) < 0.015)


TABLES = {
    "near": Table(np.array([1.39, -0.34]), np.array([1.49, 0.34]), 0.45),
    "far": Table(np.array([-1.49, -0.40]), np.array([-1.39, 0.02]), 0.60),
}
_TABLE_OF = {"fetch": "far", "bin": "near"}


class MobileScene(BlockScene):
    """Where the objects of the room are; built once per world, arranged anew at every reset."""

    names = (*BLOCK_NAMES, "bin", "drawer")

    def __init__(self, model: mujoco.MjModel) -> None:
        """Find the objects in the compiled model."""
        super().__init__(model)
        self.drawer = Drawer(model)
        self._cabinet = model.body("cabinet").id
        self._cabinet_home = model.body_pos[self._cabinet].copy()
        joints = ("base_x", "base_y", "base_yaw")
        self._base_qpos = [int(model.joint(name).qposadr[0]) for name in joints]
        self._lift_qpos = int(model.joint("lift_joint").qposadr[0])
        self._randomization = DomainRandomization(
            model, tables=["near_table", "far_table"], surfaces=_SURFACES, fixed=[]
        )

    def arrange(self, data: mujoco.MjData, task: Task, rng: np.random.Generator) -> bool:
        """Draw colours, positions and where the robot stands; False when they do not fit."""
        self._draw_colours(task, rng)
        data.qpos[self._base_qpos] = rng.uniform(_START_LOW, _START_HIGH)
        data.qpos[self._lift_qpos] = rng.uniform(*_LIFT_M)
        shift = np.array([0.0, rng.uniform(-0.05, 0.05), 0.0])
        self._model.body_pos[self._cabinet] = self._cabinet_home + shift
        tables = [str(rng.choice(list(TABLES))) for _ in range(BLOCKS)]
        if task.family in _TABLE_OF:
            tables[self.colours.index(task.slots[0])] = _TABLE_OF[task.family]
        for name, table in TABLES.items():
            chosen = [i for i, where in enumerate(tables) if where == name]
            radii_m = [BLOCK_RADIUS_M] * len(chosen)
            points = scatter(rng, table.low_m, table.high_m, radii_m)
            if points is None:
                return False
            for block, point in zip(chosen, points, strict=True):
                self._put_block(data, block, np.array([*point, table.top_m + HALF_M]), rng)
        return True

    def randomize_appearance(self, rng: np.random.Generator) -> None:
        """Draw lights, table surfaces and shades of the colours."""
        self._randomization.randomize(rng)
        self._draw_shades(rng)

    def restore_appearance(self) -> None:
        """Return to the appearance of the MJCF file and nominal colours."""
        self._randomization.restore()
        self._tint[:] = 0.0

    def positions(self, data: mujoco.MjData) -> dict[str, Array]:
        """Return name -> position [3] in metres; the drawer's is its knob's."""
        bin_m = np.array([*BIN_M, BIN_RIM_M])
        return {**self.block_positions(data), "bin": bin_m, "drawer": self.drawer.knob(data)}

    def table_of(self, point_m: Array) -> str | None:
        """Return the table that a block's centre [3] lies on, None when it lies on none."""
        return next((name for name, table in TABLES.items() if table.has(point_m)), None)

    def in_bin(self, point_m: Array) -> bool:
        """Return whether a point [3] is inside the bin."""
        inside = np.abs(point_m[:2] - BIN_M).max() < BIN_HALF_M
        return bool(inside and point_m[2] < BIN_RIM_M - 0.05)

    def turn_of_block(self, data: mujoco.MjData, colour: str) -> float:
        """Return a block's turn about z in the room [rad]."""
        return self.block_yaw(data, colour)

    def _put_block(
        self, data: mujoco.MjData, block: int, centre_m: Array, rng: np.random.Generator
    ) -> None:
        adr = self._qpos[block]
        data.qpos[adr : adr + 3] = centre_m
        yaw = rng.uniform(-_MAX_YAW_RAD, _MAX_YAW_RAD)
        data.qpos[adr + 3 : adr + 7] = yaw_quaternion_wxyz(yaw)
