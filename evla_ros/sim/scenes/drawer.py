# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drawer with a knob: the slide joint `drawer`, the site and the geom `knob` of a model."""

from __future__ import annotations

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.scenes.blocks import touching


class Drawer:
    """Where the drawer of a scene is."""

    def __init__(self, model: mujoco.MjModel) -> None:
        """Look its parts up by name."""
        self._qpos = int(model.joint("drawer").qposadr[0])
        self._site, self._geom = model.site("knob").id, model.geom("knob").id

    def pull_out(self, data: mujoco.MjData, opening_m: float) -> None:
        """Put it where it is out by `opening_m` [m], without physics."""
        data.qpos[self._qpos] = opening_m

    def opening(self, data: mujoco.MjData) -> float:
        """Return how far it is out [m]."""
        return float(data.qpos[self._qpos])

    def knob(self, data: mujoco.MjData) -> Array:
        """Return the centre [3] of its knob [m]."""
        return np.array(data.site_xpos[self._site])

    def touched(self, data: mujoco.MjData) -> set[int]:
        """Return the geoms in contact with the knob."""
        return touching(data, self._geom)
