# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Domain randomisation of what every world has: lights, cameras and the table's surface."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array

_CAMERA_JITTER_M = 0.012
_CAMERA_JITTER_RAD = 0.012


class DomainRandomization:
    """Remembers how the MJCF file looks and draws other appearances by a generator."""

    def __init__(
        self,
        model: mujoco.MjModel,
        tables: Sequence[str],
        surfaces: Sequence[str],
        fixed: Sequence[str],
    ) -> None:
        """Find the parts in the compiled model.

        Args:
            model: the compiled world; its colours, lights and cameras are changed in place.
            tables: geoms of the table.
            surfaces: materials that the table may have.
            fixed: cameras that stand still in the world; their poses are jittered.
        """
        self._model = model
        self._tables = [model.geom(name).id for name in tables]
        self._surfaces = [model.material(name).id for name in surfaces]
        self._cameras = [model.camera(name).id for name in fixed]
        self._original = {
            name: getattr(model, name).copy()
            for name in (
                "light_pos",
                "light_diffuse",
                "cam_pos",
                "cam_quat",
                "geom_matid",
                "geom_rgba",
                "mat_rgba",
            )
        }
        self._headlight = model.vis.headlight.diffuse.copy()

    def restore(self) -> None:
        """Return to the appearance of the file."""
        for name, value in self._original.items():
            getattr(self._model, name)[:] = value
        self._model.vis.headlight.diffuse[:] = self._headlight

    def randomize(self, rng: np.random.Generator) -> None:
        """Draw lights, camera poses and a table surface."""
        self.restore()
        model = self._model
        model.light_pos[:] += rng.uniform(-0.25, 0.25, model.light_pos.shape)
        model.light_diffuse[:] *= rng.uniform(0.75, 1.2)
        model.vis.headlight.diffuse[:] *= rng.uniform(0.8, 1.2)
        surface = self._surfaces[int(rng.integers(len(self._surfaces)))]
        model.geom_matid[self._tables] = surface
        model.mat_rgba[surface, :3] = np.clip(
            self._original["mat_rgba"][surface, :3] * _shade(rng), 0.0, 1.0
        )
        for camera in self._cameras:
            model.cam_pos[camera] += rng.normal(0.0, _CAMERA_JITTER_M, 3).clip(-0.02, 0.02)
            turn = rng.normal(0.0, _CAMERA_JITTER_RAD, 3).clip(-0.02, 0.02)
            mujoco.mju_quatIntegrate(model.cam_quat[camera], turn, 1.0)


def _shade(rng: np.random.Generator) -> Array:
    """Return a factor [3]: mostly brightness, a little hue, so that no table looks like a block."""
    return rng.uniform(0.85, 1.12) * rng.uniform(0.96, 1.04, 3)
