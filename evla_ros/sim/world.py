# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated robot in its scene: reset, observe, command, step, save and load. Knows no ROS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import Embodiment
from evla_ros.errors import nearest
from evla_ros.geometry.delta import apply_delta
from evla_ros.geometry.pose import Pose
from evla_ros.policy.types import Observation
from evla_ros.sim.arm import SimArm
from evla_ros.sim.cameras import Cameras
from evla_ros.sim.description import WorldDescription
from evla_ros.sim.errors import SimError, UnstablePhysicsError
from evla_ros.sim.kinematics import MotionLimits
from evla_ros.sim.model import compile_model
from evla_ros.sim.render import Image
from evla_ros.sim.reset import place_episode
from evla_ros.sim.tasks.suite import TaskSuite
from evla_ros.sim.tasks.task import Task

Array = npt.NDArray[np.float64]
STEPS_PER_SERVO = 5
_NUMBERS_PER_ARM = 7
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION


@dataclass(frozen=True, eq=False)
class WorldState:
    """A copy of everything that moves: physics and executors (not colours and lights)."""

    physics: Array
    arms: tuple[Array, ...]
    step_count: int


class World:
    """One embodiment in one MuJoCo scene with its language tasks.

    The MJCF world frame is the embodiment's `base_frame`. Same machine, seed, commands: same bits.
    """

    def __init__(
        self,
        description: WorldDescription,
        embodiment: Embodiment,
        suite: TaskSuite,
        *,
        image_size: int = 128,
        quality: str = "fast",
    ) -> None:
        """Compile the model; raises SimError when the embodiment is not the world's."""
        _check(description, embodiment)
        self.description, self.embodiment, self.suite = description, embodiment, suite
        self.model = compile_model(description)
        self.data = mujoco.MjData(self.model)
        self.arms = tuple(
            SimArm(
                self.model,
                binding,
                MotionLimits(arm.limits.max_speed_m_s, arm.limits.max_rotation_rad_s),
            )
            for binding, arm in zip(description.arms, embodiment.arms, strict=True)
        )
        self.scene = suite.make_scene(self.model)
        self.task: Task | None = None
        self.rejected_commands = 0
        self._step_count = 0
        self.cameras = Cameras(self.model, description, image_size, quality)

    @property
    def time_ns(self) -> int:
        """Simulated time since reset in nanoseconds."""
        return round(self._step_count * float(self.model.opt.timestep) * 1e9)

    def reset(self, seed: int, task: str | Task | None = None, randomize: bool = True) -> Task:
        """Start an episode and return its task, which is not yet solved.

        task: a Task, an instruction, a task family, or None for one drawn by the seed. randomize:
        also colours, light, camera and table (poses always follow the seed). Raises SimError for
        an unknown task.
        """
        rng = np.random.default_rng(seed)
        chosen = self.suite.grammar.choose(task, rng)
        self._step_count = 0
        self.task = place_episode(self, chosen, rng, randomize)
        self._step_count = 0
        self.data.time = 0.0
        self.rejected_commands = 0
        return self.task

    def arm(self, name: str) -> SimArm:
        """Return an arm by its embodiment name; raises SimError naming the nearest one."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise SimError(
            f"no arm {name!r} in {self.description.name}; "
            f"{nearest(name, [arm.name for arm in self.arms])}"
        )

    def command(self, arm: str, goal: Pose | None, gripper: float | None = None) -> bool:
        """Set an arm's pose goal in base_frame and gripper opening; it keeps tracking them.

        Returns False, counts it and keeps the last goal when the gripper number is not finite, as a
        real executor would (a Pose is finite by construction).
        """
        target = self.arm(arm)
        if gripper is not None and not np.isfinite(gripper):
            self.rejected_commands += 1
            return False
        if goal is not None:
            target.goal = goal
        if gripper is not None:
            target.grip_goal = float(np.clip(gripper, 0.0, 1.0))
        return True

    def apply(self, action: npt.ArrayLike) -> bool:
        """Command every arm by one action [D] from the measured poses; False when not finite.

        Steps longer than the embodiment's `max_step_m` or `max_step_rad` are the caller's to clip.
        """
        values = np.asarray(action, dtype=np.float64)
        if values.shape != (self.action_dim,):
            raise SimError(
                f"an action of shape {values.shape}; this world takes [{self.action_dim}]"
            )
        if not np.isfinite(values).all():
            self.rejected_commands += 1
            return False
        for arm, part in zip(self.arms, values.reshape(-1, _NUMBERS_PER_ARM), strict=True):
            self.command(arm.name, apply_delta(arm.pose(self.data), part[:6]), part[6])
        return True

    @property
    def action_dim(self) -> int:
        """Numbers in one action."""
        return _NUMBERS_PER_ARM * len(self.arms)

    def step(self, dt_s: float) -> None:
        """Advance physics by dt; raises UnstablePhysicsError when it blew up."""
        steps = round(dt_s / self.model.opt.timestep)
        while steps > 0:
            phase = self._step_count % STEPS_PER_SERVO
            if phase == 0:
                for arm in self.arms:
                    arm.servo(self.data, STEPS_PER_SERVO * self.model.opt.timestep)
            count = min(steps, STEPS_PER_SERVO - phase)
            mujoco.mj_step(self.model, self.data, count)
            self._step_count += count
            steps -= count
        mujoco.mj_forward(self.model, self.data)
        if self.data.warning[mujoco.mjtWarning.mjWARN_BADQACC].number:
            raise UnstablePhysicsError(
                "the physics became unstable (bad acceleration); reset the world"
            )

    def tick(self) -> None:
        """Advance by one period of the embodiment's rate_hz."""
        self.step(1.0 / self.embodiment.rate_hz)

    def proprio(self) -> npt.NDArray[np.float32]:
        """Return the measured proprio [P]: each listed entry for every arm."""
        parts: dict[str, list[Array]] = {
            "ee_pose": [arm.pose(self.data).as_vector() for arm in self.arms],
            "gripper": [np.array([arm.opening(self.data)]) for arm in self.arms],
            "joint_positions": [self.data.qpos[arm.qpos] for arm in self.arms],
        }
        chosen = [part for entry in self.embodiment.proprio for part in parts[entry]]
        return np.concatenate(chosen or [np.zeros(0)]).astype(np.float32)

    def images(self, cameras: Sequence[str] | None = None) -> dict[str, Image]:
        """Render embodiment cameras (all by default): name -> [size, size, 3] uint8 RGB."""
        return self.cameras.images(self.data, cameras)

    def render(
        self,
        camera: str,
        width: int | None = None,
        height: int | None = None,
        quality: str | None = None,
    ) -> Image:
        """Render any MJCF camera (`overview` too) at any size and quality."""
        return self.cameras.render(self.data, camera, width, height, quality)

    def observe(self, instruction: str | None = None) -> Observation:
        """Return what a policy sees now; the instruction is the episode's by default."""
        words = (
            instruction if instruction is not None else (self.task.instruction if self.task else "")
        )
        return Observation(self.time_ns, self.images(), self.proprio(), words)

    def succeeded(self, task: Task | None = None) -> bool:
        """Return whether a task (the episode's by default) is solved in the present state."""
        chosen = task or self.task
        if chosen is None:
            raise SimError("no task is set; call reset first")
        return bool(self.suite.succeeded(self, chosen))

    def save_state(self) -> WorldState:
        """Copy the state of the episode, to try something and come back."""
        physics = np.empty(mujoco.mj_stateSize(self.model, _STATE))
        mujoco.mj_getState(self.model, self.data, physics, _STATE)
        return WorldState(physics, tuple(arm.save() for arm in self.arms), self._step_count)

    def load_state(self, state: WorldState) -> None:
        """Return to a state saved in this episode of this world."""
        mujoco.mj_setState(self.model, self.data, state.physics, _STATE)
        for arm, saved in zip(self.arms, state.arms, strict=True):
            arm.load(saved)
        self._step_count = state.step_count
        mujoco.mj_forward(self.model, self.data)

    def close(self) -> None:
        """Free the GL contexts."""
        self.cameras.close()


def _check(description: WorldDescription, embodiment: Embodiment) -> None:
    pairs: Mapping[str, tuple[list[str], list[str]]] = {
        "arms": ([a.name for a in embodiment.arms], [a.name for a in description.arms]),
        "cameras": (sorted(embodiment.cameras), sorted(description.cameras)),
    }
    for what, (asked, has) in pairs.items():
        if asked != has:
            raise SimError(
                f"embodiment {embodiment.name!r} has {what} {asked}, "
                f"world {description.name!r} has {has}; "
                f"use the embodiment {description.embodiment!r}"
            )
