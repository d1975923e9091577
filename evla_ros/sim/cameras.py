# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cameras of one world: by embodiment name for policies, by MJCF name for videos."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco

from evla_ros.errors import nearest
from evla_ros.sim.description import WorldDescription
from evla_ros.sim.errors import SimError
from evla_ros.sim.render import Image, Renderer


class Cameras:
    """Opens one GL context per size and quality, the first time that it is asked for."""

    def __init__(
        self, model: mujoco.MjModel, description: WorldDescription, size: int, quality: str
    ) -> None:
        """Take the default size in pixels (square) and quality."""
        self._model, self._description = model, description
        self.size, self.quality = size, quality
        self._renderers: dict[tuple[int, int, str], Renderer] = {}

    def images(self, data: mujoco.MjData, cameras: Sequence[str] | None = None) -> dict[str, Image]:
        """Render embodiment cameras (all by default): name -> [size, size, 3] uint8 RGB."""
        names = self._description.cameras if cameras is None else cameras
        return {name: self.render(data, self.mjcf_name(name)) for name in names}

    def render(
        self,
        data: mujoco.MjData,
        camera: str,
        width: int | None = None,
        height: int | None = None,
        quality: str | None = None,
    ) -> Image:
        """Render an MJCF camera at any size and quality: [height, width, 3] uint8 RGB."""
        key = (width or self.size, height or self.size, quality or self.quality)
        if key not in self._renderers:
            self._renderers[key] = Renderer(self._model, *key)
        return self._renderers[key].render(data, camera)

    def mjcf_name(self, name: str) -> str:
        """Return the MJCF camera of an embodiment camera; raises SimError naming the nearest."""
        cameras = self._description.cameras
        if name not in cameras:
            where = self._description.name
            raise SimError(f"no camera {name!r} in {where}; {nearest(name, cameras)}")
        return cameras[name]

    def close(self) -> None:
        """Free the GL contexts."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()
