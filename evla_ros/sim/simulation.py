# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated robot and its objects under physics: command, step, save, load. Knows no tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.observation import planar
from evla_ros.embodiment import Embodiment, action_columns
from evla_ros.errors import nearest
from evla_ros.geometry.delta import apply_delta
from evla_ros.geometry.pose import Array, Pose
from evla_ros.sim.arm import SimArm
from evla_ros.sim.axis import SimAxis
from evla_ros.sim.base import SimBase
from evla_ros.sim.description import WorldDescription, check_embodiment
from evla_ros.sim.errors import SimError, UnstablePhysicsError
from evla_ros.sim.kinematics import MotionLimits
from evla_ros.sim.model import compile_model

STEPS_PER_SERVO = 5
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION


@dataclass(frozen=True, eq=False)
class SimulationState:
    """A copy of everything that moves: physics and executors (not colours and lights)."""

    physics: Array
    arms: tuple[Array, ...]
    step_count: int
    others: tuple[Array, ...] = ()  # base, axes


class Simulation:
    """One embodiment and its objects in one MuJoCo model.

    The MJCF world frame is the embodiment's `base_frame`, unless the description names a body for
    it. Same machine, seed, commands: same bits.
    """

    def __init__(
        self,
        description: WorldDescription,
        embodiment: Embodiment,
        make_scene: Callable[[mujoco.MjModel], Any],
    ) -> None:
        """Compile the model.

        Args:
            description: which MJCF file, arms and cameras.
            embodiment: the robot; its arms and cameras are those of the description.
            make_scene: returns what knows the objects of the compiled model.

        Raises:
            SimError: the embodiment is another robot's.
        """
        check_embodiment(description, embodiment)
        self.description, self.embodiment = description, embodiment
        self.model = compile_model(description)
        self.data = mujoco.MjData(self.model)
        self.arms = tuple(
            SimArm(
                self.model,
                binding,
                MotionLimits(arm.limits.max_speed_m_s, arm.limits.max_rotation_rad_s),
                description.frame,
            )
            for binding, arm in zip(description.arms, embodiment.arms, strict=True)
        )
        self.base: SimBase | None = None
        if description.base is not None and embodiment.base is not None:
            self.base = SimBase(self.model, description.base, embodiment.base)
        self.axes = tuple(
            SimAxis(self.model, binding, axis)
            for binding, axis in zip(description.axes, embodiment.axes, strict=True)
        )
        others: list[SimBase | SimAxis] = [] if self.base is None else [self.base]
        self._others = (*others, *self.axes)
        self.columns = action_columns(embodiment)
        self.scene = make_scene(self.model)
        self.rejected_commands = 0
        self._step_count = 0

    @property
    def time_ns(self) -> int:
        """Simulated time since reset in nanoseconds."""
        return round(self._step_count * float(self.model.opt.timestep) * 1e9)

    def restart_clock(self) -> None:
        """Let time and the count of rejected commands start at 0."""
        self._step_count = self.rejected_commands = 0
        self.data.time = 0.0

    def arm(self, name: str) -> SimArm:
        """Return an arm by its embodiment name.

        Raises:
            SimError: there is none; the sentence names the nearest one.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise SimError(
            f"no arm {name!r} in {self.description.name}; "
            f"{nearest(name, [arm.name for arm in self.arms])}"
        )

    def command(self, arm: str, goal: Pose | None, gripper: float | None = None) -> bool:
        """Set an arm's goals, which it keeps tracking.

        Args:
            arm: name of the arm in the embodiment file.
            goal: tool pose in `base_frame`, None for the last one.
            gripper: opening in [0, 1], 1 = open; None for the last one.

        Returns:
            False when the gripper number is not finite: the command is counted and the last goals
            stay, as a real executor does it (a Pose is finite by construction).
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

    def command_base(self, velocity: Array) -> bool:
        """Tell the base vx vy [m/s] wz [rad/s]; False when they are not finite, and are counted."""
        if self.base is None or not np.isfinite(velocity).all():
            self.rejected_commands += 1
            return False
        self.base.command(velocity)
        return True

    def command_axis(self, number: int, position: float) -> bool:
        """Tell an axis its position goal; False when it is not finite, and is counted."""
        if not np.isfinite(position):
            self.rejected_commands += 1
            return False
        self.axes[number].command(position)
        return True

    def stand_still(self) -> None:
        """Let base and axes stay where the scene has put them (only at reset)."""
        for part in self._others:
            part.hold(self.data)

    def apply(self, action: npt.ArrayLike) -> bool:
        """Command every part by one action [D]; arms relative to their measured poses.

        Steps longer than the embodiment's `max_step_m` or `max_step_rad` are the caller's to clip.

        Returns:
            False when a number is not finite: the action is counted and the last goals stay.

        Raises:
            SimError: the shape is not [D].
        """
        values = np.asarray(action, dtype=np.float64)
        if values.shape != (self.action_dim,):
            raise SimError(
                f"an action of shape {values.shape}; this world takes [{self.action_dim}]"
            )
        if not np.isfinite(values).all():
            self.rejected_commands += 1
            return False
        for arm, columns in zip(self.arms, self.columns.arms, strict=True):
            part = values[columns]
            self.command(arm.name, apply_delta(arm.pose(self.data), part[:6]), part[6])
        if self.columns.base is not None:
            self.command_base(values[self.columns.base])
        for number, column in enumerate(self.columns.axes):
            self.command_axis(number, float(values[column]))
        return True

    @property
    def action_dim(self) -> int:
        """Numbers in one action."""
        return self.columns.size

    def step(self, dt_s: float) -> None:
        """Advance physics by `dt_s` seconds.

        Raises:
            UnstablePhysicsError: MuJoCo reports a bad acceleration; the episode is void.
        """
        steps = round(dt_s / self.model.opt.timestep)
        while steps > 0:
            phase = self._step_count % STEPS_PER_SERVO
            if phase == 0:
                dt_servo_s = STEPS_PER_SERVO * self.model.opt.timestep
                for arm in self.arms:
                    arm.servo(self.data, dt_servo_s)
                for part in self._others:
                    part.servo(self.data, dt_servo_s)
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
        if self.base is not None:
            parts["base_velocity"] = [self.base.velocity(self.data)]
            parts["base_pose"] = [planar(self.base.pose(self.data))]
        parts["axes"] = [np.array([axis.position(self.data)]) for axis in self.axes]
        chosen = [part for entry in self.embodiment.proprio for part in parts[entry]]
        return np.concatenate(chosen or [np.zeros(0)]).astype(np.float32)

    def show(self, positions: npt.ArrayLike) -> None:
        """Put everything where it was, from `data.qpos` [nq] of the same model, to draw it."""
        self.data.qpos[:] = positions
        mujoco.mj_forward(self.model, self.data)

    def save_state(self) -> SimulationState:
        """Copy the state of the episode, to try something and come back."""
        physics = np.empty(mujoco.mj_stateSize(self.model, _STATE))
        mujoco.mj_getState(self.model, self.data, physics, _STATE)
        arms = tuple(arm.save() for arm in self.arms)
        others = tuple(part.save() for part in self._others)
        return SimulationState(physics, arms, self._step_count, others)

    def load_state(self, state: SimulationState) -> None:
        """Return to a state saved in this episode of this world."""
        mujoco.mj_setState(self.model, self.data, state.physics, _STATE)
        for arm, saved in zip(self.arms, state.arms, strict=True):
            arm.load(saved)
        for part, kept in zip(self._others, state.others, strict=True):
            part.load(kept)
        self._step_count = state.step_count
        mujoco.mj_forward(self.model, self.data)
