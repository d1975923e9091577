# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Headless rendering of a world: a fast quality for policies and data, a pretty one for videos."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.errors import nearest
from evla_ros.sim.errors import SimError
from evla_ros.sim.gl_backend import make_gl_context
from evla_ros.sim.projection import WHOLE, Cut

Image = npt.NDArray[np.uint8]
_DECORATION_GROUP = 4


@dataclass(frozen=True)
class Quality:
    """How a frame is drawn, which decides what it costs.

    Attributes:
        samples: samples per pixel against jagged edges; 0: none.
        shadow_size: side of the shadow map in pixels; 0: no shadows.
        slices: around round shapes.
        stacks: along round shapes.
        decorations: whether shadows, reflections, sky and decoration geoms are drawn.
    """

    samples: int
    shadow_size: int
    slices: int
    stacks: int
    decorations: bool


QUALITIES = {
    "fast": Quality(samples=0, shadow_size=0, slices=10, stacks=4, decorations=False),
    "pretty": Quality(samples=4, shadow_size=2048, slices=28, stacks=12, decorations=True),
}


class Renderer:
    """Renders a model's cameras off screen; for the thread that made it, to be closed."""

    def __init__(
        self, model: mujoco.MjModel, width: int = 128, height: int = 128, quality: str = "fast"
    ) -> None:
        """Open a GL context for frames of width x height; raises SimError when there is none."""
        if quality not in QUALITIES:
            raise SimError(f"no render quality {quality!r}; {nearest(quality, QUALITIES)}")
        if not (8 <= width <= 4096 and 8 <= height <= 4096):
            raise SimError(f"a frame of {width} x {height} px; each side is 8 to 4096")
        self.width, self.height, self.quality = width, height, quality
        self._model = model
        self.backend, self._gl = make_gl_context(width, height)
        level = QUALITIES[quality]
        _set_quality(model, level, width, height)
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=400)
        self._options = mujoco.MjvOption()
        self._options.geomgroup[:] = 1
        self._options.geomgroup[3] = 0
        self._options.geomgroup[_DECORATION_GROUP] = int(level.decorations)
        for flag in ("SHADOW", "REFLECTION", "SKYBOX"):
            self._scene.flags[getattr(mujoco.mjtRndFlag, f"mjRND_{flag}")] = level.decorations
        self._rectangle = mujoco.MjrRect(0, 0, width, height)
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._nothing = mujoco.MjvPerturb()
        self._free = weakref.finalize(self, _free, self._gl, self._context)

    def render(self, data: mujoco.MjData, camera: str, cut: Cut = WHOLE) -> Image:
        """Return one frame [H, W, 3] uint8 RGB of an MJCF camera; raises SimError when unknown.

        Args:
            data: the state that is shown.
            camera: the MJCF camera.
            cut: the part of its picture that fills the frame.
        """
        if not self._free.alive:
            raise SimError("this renderer is closed; make another")
        self._gl.make_current()
        self._camera.fixedcamid = mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_CAMERA, camera)
        if self._camera.fixedcamid < 0:
            names = [self._model.camera(i).name for i in range(self._model.ncam)]
            raise SimError(f"no camera {camera!r} in this world; {nearest(camera, names)}")
        every = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(
            self._model, data, self._options, self._nothing, self._camera, every, self._scene
        )
        _show(self._scene, cut)
        mujoco.mjr_render(self._rectangle, self._scene, self._context)
        upside_down = np.empty((self.height, self.width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(upside_down, None, self._rectangle, self._context)
        return np.ascontiguousarray(upside_down[::-1])

    def close(self) -> None:
        """Free the GL context, as the end of the program does; a second call does nothing."""
        self._free()


def _show(scene: mujoco.MjvScene, cut: Cut) -> None:
    """Narrow what the scene's cameras see to a part of their (square) picture."""
    for eye in scene.camera:
        side = eye.frustum_top - eye.frustum_bottom
        eye.frustum_center += side * (cut.left + cut.size / 2 - 0.5)
        eye.frustum_top -= side * cut.top
        eye.frustum_bottom = eye.frustum_top - side * cut.size


def _free(gl: Any, context: mujoco.MjrContext) -> None:
    try:
        gl.make_current()
    except Exception:  # noqa: BLE001 - at the end of a program the display may have gone first
        return
    context.free()
    gl.free()


def _set_quality(model: mujoco.MjModel, level: Quality, width: int, height: int) -> None:
    model.vis.global_.offwidth, model.vis.global_.offheight = width, height
    model.vis.quality.offsamples = level.samples
    model.vis.quality.shadowsize = level.shadow_size
    model.vis.quality.numslices = level.slices
    model.vis.quality.numstacks = level.stacks
    model.vis.quality.numquads = 2 if level.slices < 12 else 4
