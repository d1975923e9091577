# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated robot with its language tasks: reset to a task, look, judge. Knows no ROS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evla_ros.embodiment import Embodiment
from evla_ros.errors import nearest
from evla_ros.policy.types import Observation
from evla_ros.sim.description import WorldDescription
from evla_ros.sim.errors import SimError
from evla_ros.sim.projection import WHOLE, Cut
from evla_ros.sim.render import Image, Renderer
from evla_ros.sim.reset import draw_start
from evla_ros.sim.simulation import Simulation
from evla_ros.sim.tasks.suite import TaskSuite
from evla_ros.sim.tasks.task import Task


class World(Simulation):
    """A simulation with tasks and cameras."""

    def __init__(
        self,
        description: WorldDescription,
        embodiment: Embodiment,
        suite: TaskSuite,
        *,
        image_size: int = 128,
        quality: str = "fast",
    ) -> None:
        """Compile the model.

        Args:
            description: which MJCF file, arms and cameras.
            embodiment: the robot.
            suite: its tasks.
            image_size: side of the square camera images in pixels.
            quality: quality of the rendering, `fast` or `pretty`.

        Raises:
            SimError: the embodiment is not the world's.
        """
        super().__init__(description, embodiment, suite.make_scene)
        self.suite = suite
        self.task: Task | None = None
        self.image_size, self.quality = image_size, quality
        self._renderers: dict[tuple[int, int, str], Renderer] = {}

    def reset(self, seed: int, task: str | Task | None = None, randomize: bool = True) -> Task:
        """Start an episode and return its task, which is not yet solved.

        Args:
            seed: the same seed and task give the same start.
            task: a Task, an instruction, a task family, or None for one drawn by the seed.
            randomize: also draw colours, light, camera and table (poses always follow the seed).

        Raises:
            SimError: there is no such task.
        """
        rng = np.random.default_rng(seed)
        chosen = self.suite.grammar.choose(task, rng)
        self.restart_clock()
        draw_start(self, self.suite, chosen, rng, randomize)
        self.restart_clock()
        self.task = chosen
        return chosen

    @property
    def most_ticks(self) -> int:
        """Actions that a task of this world may take."""
        return round(self.suite.limit_s * self.embodiment.rate_hz)

    def images(self, cameras: Sequence[str] | None = None) -> dict[str, Image]:
        """Render embodiment cameras (all by default): name -> [size, size, 3] uint8 RGB."""
        names = self.description.cameras if cameras is None else cameras
        return {name: self.render(self.mjcf_camera(name)) for name in names}

    def render(
        self,
        camera: str,
        width: int | None = None,
        height: int | None = None,
        quality: str | None = None,
    ) -> Image:
        """Render any MJCF camera (`overview` too): [height, width, 3] uint8 RGB.

        A GL context per size and quality is opened the first time that it is asked for.
        """
        key = (width or self.image_size, height or self.image_size, quality or self.quality)
        if key not in self._renderers:
            self._renderers[key] = Renderer(self.model, *key)
        return self._renderers[key].render(self.data, camera)

    def mjcf_camera(self, name: str) -> str:
        """Return the MJCF camera of an embodiment camera; raises SimError naming the nearest."""
        cameras = self.description.cameras
        if name not in cameras:
            where = self.description.name
            raise SimError(f"no camera {name!r} in {where}; {nearest(name, cameras)}")
        return cameras[name]

    def cut(self, _camera: str) -> Cut:
        """Return which part of its MJCF camera's picture an embodiment camera shows: all of it."""
        return WHOLE

    def observe(self, instruction: str | None = None) -> Observation:
        """Return what a policy sees now; the instruction is the episode's by default."""
        if instruction is None:
            instruction = self.task.instruction if self.task else ""
        return Observation(self.time_ns, self.images(), self.proprio(), instruction)

    def succeeded(self, task: Task | None = None) -> bool:
        """Return whether a task (the episode's by default) is solved in the present state."""
        chosen = task or self.task
        if chosen is None:
            raise SimError("no task is set; call reset first")
        return bool(self.suite.succeeded(self, chosen))

    def close(self) -> None:
        """Free the GL contexts."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()
