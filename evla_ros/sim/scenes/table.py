# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What stands on the table of every world: blocks, and props such as a bowl and a plate."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.scenes.blocks import BLOCK_NAMES, COLOURS, BlockScene, yaw_of
from evla_ros.sim.scenes.domain_randomization import DomainRandomization
from evla_ros.sim.scenes.placement import yaw_quaternion_wxyz

BOWL_HEIGHT_M = 0.046
PLATE_TOP_M = 0.008
DISH_RADIUS_M = 0.085
_ABSENT_BELOW_M = -0.2
_SURFACES = ("table_wood", "table_speckle", "table_cloth", "table_plain")


class TableScene(BlockScene):
    """Blocks and props on a table whose appearance is drawn anew in every episode.

    A prop with a free joint of its own name can be moved by the robot; another one is fixed to the
    world, and only a reset moves it.
    """

    names: tuple[str, ...] = BLOCK_NAMES

    def __init__(self, model: mujoco.MjModel, props: Sequence[str], camera: str) -> None:
        """Find the objects in the compiled model.

        Args:
            model: the compiled world.
            props: bodies that lie on the table, beside the blocks.
            camera: the one that stands still in the world.
        """
        super().__init__(model)
        self.props = tuple(props)
        self._bodies = {name: model.body(name).id for name in props}
        self._free_qpos = {
            name: int(model.joint(name).qposadr[0])
            for name, body in self._bodies.items()
            if model.body_jntnum[body]
        }
        self._randomization = DomainRandomization(
            model, tables=["table"], surfaces=_SURFACES, fixed=[camera]
        )

    def restore_appearance(self) -> None:
        """Return to the appearance of the MJCF file and nominal colours."""
        self._randomization.restore()
        self._tint = np.zeros((len(COLOURS), 3))

    def randomize_appearance(self, rng: np.random.Generator) -> None:
        """Draw lights, camera pose, table surface and shades of the colours."""
        self._randomization.randomize(rng)
        self._draw_shades(rng)

    def positions(self, data: mujoco.MjData) -> dict[str, Array]:
        """Return name -> position [3] in metres of the blocks and props that are here."""
        here = {name: self.position_of(data, name) for name in self.props_here(data)}
        return {**self.block_positions(data), **here}

    def position_of(self, data: mujoco.MjData, prop: str) -> Array:
        """Return the position [3] of a prop in metres."""
        if prop in self._free_qpos:
            adr = self._free_qpos[prop]
            return np.array(data.qpos[adr : adr + 3])
        return np.array(self._model.body_pos[self._bodies[prop]])

    def yaw_of(self, data: mujoco.MjData, prop: str) -> float:
        """Return the turn about z in radians of a prop that can be moved."""
        adr = self._free_qpos[prop]
        return yaw_of(data.qpos[adr + 3 : adr + 7])

    def is_here(self, data: mujoco.MjData, prop: str) -> bool:
        """Return whether a prop is on (or above) the table in this episode."""
        return bool(self.position_of(data, prop)[2] > _ABSENT_BELOW_M)

    def props_here(self, data: mujoco.MjData) -> list[str]:
        """Return the props of this episode."""
        return [name for name in self.props if self.is_here(data, name)]

    def _put(self, data: mujoco.MjData, prop: str, position_m: Array, yaw_rad: float = 0.0) -> None:
        """Move a prop; one that is fixed to the world is never turned."""
        if prop not in self._free_qpos:
            self._model.body_pos[self._bodies[prop]] = position_m
            return
        adr = self._free_qpos[prop]
        data.qpos[adr : adr + 3] = position_m
        data.qpos[adr + 3 : adr + 7] = yaw_quaternion_wxyz(yaw_rad)
