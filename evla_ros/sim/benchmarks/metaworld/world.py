# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Meta-World as a world like ours: reset to a task, look, act, judge. One task is built at a time.

The robot is `metaworld_sawyer`: an action is one step of the environment, its displacement in
metres. The hand does not turn, so the three rotations of an action are not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import Embodiment, action_columns, load_embodiment
from evla_ros.geometry.pose import Array, Pose
from evla_ros.policy.types import Observation
from evla_ros.sim.benchmarks.metaworld import environment as env
from evla_ros.sim.benchmarks.metaworld.settings import PICTURE_PX
from evla_ros.sim.benchmarks.metaworld.suite import SUITE, to_metaworld
from evla_ros.sim.benchmarks.metaworld.tasks import TASKS, THINGS
from evla_ros.sim.description import ArmBinding, WorldDescription, check_embodiment
from evla_ros.sim.errors import SimError
from evla_ros.sim.projection import Cut, project
from evla_ros.sim.render import Image, Renderer
from evla_ros.sim.simulation import SimulationState
from evla_ros.sim.tasks.task import Task

DESCRIPTION = WorldDescription(
    name="metaworld",
    mjcf="",  # Meta-World brings its own, one a task
    embodiment="metaworld_sawyer",
    arms=(ArmBinding("arm", "", "", ()),),
    cameras=MappingProxyType({"primary": env.CAMERA, "hand": env.CAMERA}),
    video_camera=env.CAMERA,
)
# Both are parts of the published camera's picture. Of its 480 px, as others draw it, `primary` has
# the 269 of the workspace, and `hand` the 106 around the fingers.
_WORKSPACE = Cut(left=0.335, top=0.24, size=0.56)
_AT_HAND = 0.22  # of the picture's side
_FINGERS_BELOW_HAND_M = np.array([0.0, 0.0, -0.07])
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
_UPRIGHT_XYZW = np.array([0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)])  # what holds the hand all the time


@dataclass(frozen=True)
class SawyerArm:
    """What of the arm a caller of a world asks for."""

    name: str

    def pose(self, data: mujoco.MjData) -> Pose:
        """Return the pose of the hand in the frame of the world."""
        return Pose(data.body("hand").xpos, _UPRIGHT_XYZW)


@dataclass(frozen=True)
class MetaWorldState(SimulationState):
    """A copy of what moves, and of what Meta-World knows of the episode."""

    observation: Array = field(default_factory=lambda: np.zeros(39))
    success: bool = False
    memory: dict[str, Any] = field(default_factory=dict)


class _Scene:
    """Names and places of things: the objects that Meta-World tells of, and its target."""

    names = THINGS

    def __init__(self, world: MetaWorld) -> None:
        self._world = world

    def positions(self, _data: mujoco.MjData) -> dict[str, Array]:
        """Return name -> position [3] in metres of what is in the present scene."""
        return self._world.places()


class MetaWorld:
    """Meta-World behind the interface of `World`, for evaluation, collection and films."""

    suite = SUITE

    def __init__(
        self,
        embodiment: Embodiment | None = None,
        *,
        image_size: int = PICTURE_PX,
        quality: str = "fast",
    ) -> None:
        """Build nothing yet; the first reset does.

        Args:
            embodiment: the robot; the shipped one when None.
            image_size: side of the square camera images in pixels.
            quality: quality of the rendering, `fast` or `pretty`.

        Raises:
            SimError: the embodiment is not this world's.
        """
        self.description = DESCRIPTION
        self.embodiment = embodiment or load_embodiment(DESCRIPTION.embodiment)
        check_embodiment(DESCRIPTION, self.embodiment)
        self.columns = action_columns(self.embodiment)
        self.arms = (SawyerArm("arm"),)
        self.scene = _Scene(self)
        self.image_size, self.quality = image_size, quality
        self.task: Task | None = None
        self.observation: Array = np.zeros(39)  # Meta-World's own, for its experts
        self.most_ticks = env.MOST_STEPS
        self._environment: Any = None
        self._built = ""
        self._command: Array = np.zeros(4)
        self._steps = self.rejected_commands = 0
        self._success = False
        self._renderers: dict[tuple[int, int, str], Renderer] = {}

    @property
    def model(self) -> mujoco.MjModel:
        """The compiled model of the present task."""
        return self._running().model

    @property
    def data(self) -> mujoco.MjData:
        """The physics of the present episode."""
        return self._running().data

    @property
    def action_dim(self) -> int:
        """Numbers in one action."""
        return self.columns.size

    @property
    def time_ns(self) -> int:
        """Simulated time since reset in nanoseconds."""
        return round(self._steps * 1e9 / self.embodiment.rate_hz)

    def reset(self, seed: int, task: str | Task | None = None, randomize: bool = True) -> Task:
        """Start an episode, objects and goal drawn by the seed, and return its task.

        Args:
            seed: the same seed and task give the same start.
            task: a Task, its name (`reach-v3`), its instruction, or None for one drawn by the seed.
            randomize: has to be True: Meta-World draws places, and no colours or lights.

        Raises:
            SimError: there is no such task, or Meta-World is not installed.
        """
        if not randomize:
            raise SimError("Meta-World draws its objects at every reset; it has no plain scenes")
        chosen = self.suite.grammar.choose(task, np.random.default_rng(seed))
        if self._built != chosen.family:
            self.close()
            self._environment, self._built = env.make_environment(chosen.family), chosen.family
        self.observation = env.reset(self._environment, seed)
        mujoco.mj_forward(self._environment.model, self._environment.data)
        self._steps = self.rejected_commands = 0
        self._success, self.task = False, chosen
        return chosen

    def apply(self, action: npt.ArrayLike) -> bool:
        """Take one action [7] for the next tick; False when a number is not finite."""
        values = np.asarray(action, dtype=np.float64)
        if values.shape != (self.action_dim,):
            raise SimError(
                f"an action of shape {values.shape}; this world takes [{self.action_dim}]"
            )
        if not np.isfinite(values).all():
            self.rejected_commands += 1
            return False
        self._command = to_metaworld(values)
        return True

    def tick(self) -> None:
        """Take one step of the environment; SimError after its 500."""
        if self._steps >= self.most_ticks:
            raise SimError(f"an episode of Meta-World has {self.most_ticks} steps; reset the world")
        observation, _, _, _, info = self._running().step(self._command)
        self.observation = np.asarray(observation, dtype=np.float64)
        self._success = bool(info["success"])
        self._steps += 1

    def succeeded(self, task: Task | None = None) -> bool:
        """Return Meta-World's own `success` of the last step; False for another task."""
        if self.task is None:
            raise SimError("no task is set; call reset first")
        return self._success and (task is None or task.key == self.task.key)

    def proprio(self) -> npt.NDArray[np.float32]:
        """Return hand x y z, its constant orientation x y z w, and the opening of the fingers."""
        opening = self.observation[3:4]
        return np.concatenate([self.observation[:3], _UPRIGHT_XYZW, opening]).astype(np.float32)

    def observe(self, instruction: str | None = None) -> Observation:
        """Return what a policy sees now; the instruction is the episode's by default."""
        if instruction is None:
            instruction = self.task.instruction if self.task else ""
        return Observation(self.time_ns, self.images(), self.proprio(), instruction)

    def images(self, cameras: Sequence[str] | None = None) -> dict[str, Image]:
        """Render the cameras: name -> [size, size, 3] uint8 RGB, upright."""
        names = self.description.cameras if cameras is None else cameras
        side = self.image_size
        renderer = self._renderer(side, side, self.quality)
        mjcf = self.description.cameras
        return {name: renderer.render(self.data, mjcf[name], self.cut(name)) for name in names}

    def cut(self, camera: str) -> Cut:
        """Return which part of the published camera's picture a camera shows.

        `primary` shows the workspace; `hand` shows the fingers and what is around them, for which a
        caller has to know where the hand is, as proprio tells.
        """
        if camera == "primary":
            return _WORKSPACE
        fingers = self.data.body("hand").xpos + _FINGERS_BELOW_HAND_M
        seen = project(self.model, self.data, env.CAMERA, fingers)
        return Cut.around(np.array([0.5, 0.5]) if seen is None else seen, _AT_HAND)

    def render(
        self,
        camera: str,
        width: int | None = None,
        height: int | None = None,
        quality: str | None = None,
    ) -> Image:
        """Render a camera of Meta-World: [height, width, 3] uint8 RGB; `corner2` is upright."""
        side = self.image_size
        renderer = self._renderer(width or side, height or side, quality or self.quality)
        return renderer.render(self.data, camera)

    def places(self) -> dict[str, Array]:
        """Return name -> position [3] in metres of the task's things and of its goal."""
        running = self._running()
        facts = TASKS[self._built]
        places = dict(zip(facts.things, env.objects_m(running), strict=True))
        return {facts.goal: env.target_m(running), **places}

    def save_state(self) -> MetaWorldState:
        """Copy the state of the episode, to go on from it later."""
        physics = np.empty(mujoco.mj_stateSize(self.model, _STATE))
        mujoco.mj_getState(self.model, self.data, physics, _STATE)
        own = (self.observation.copy(), self._success, env.memory(self._running()))
        return MetaWorldState(physics, (), self._steps, (), *own)

    def load_state(self, state: MetaWorldState) -> None:
        """Go back to a state saved in this episode."""
        mujoco.mj_setState(self.model, self.data, state.physics, _STATE)
        mujoco.mj_forward(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, state.physics, _STATE)  # the solver's start too
        self._steps = state.step_count
        self.observation, self._success = state.observation.copy(), state.success
        env.remember(self._running(), state.memory)

    def close(self) -> None:
        """Free the GL contexts and the environment."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()
        self._environment, self._built = None, ""

    def _renderer(self, width: int, height: int, quality: str) -> Renderer:
        key = (width, height, quality)
        if key not in self._renderers:
            self._renderers[key] = Renderer(self.model, *key)
        return self._renderers[key]

    def _running(self) -> Any:
        if self._environment is None:
            raise SimError("no task is set; call reset first")
        return self._environment
