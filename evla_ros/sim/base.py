# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated base and its driver: follows the last velocity, and stops when none comes."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.control.limited_velocity import LimitedVelocity
from evla_ros.control.limits.moving_parts import BaseLimitValues
from evla_ros.control.tick_clock import Elapsed
from evla_ros.embodiment import Base
from evla_ros.geometry import rotation
from evla_ros.geometry.pose import Pose
from evla_ros.sim.description import BaseBinding

Array = npt.NDArray[np.float64]
_SLACK = np.array([0.03, 0.03, 0.05])  # how far the reference may be ahead of a blocked base


class SimBase:
    """Position servos along x, y and about z that follow an integrated velocity."""

    def __init__(self, model: mujoco.MjModel, binding: BaseBinding, base: Base) -> None:
        """Find the base's parts in the model."""
        joints = np.array([model.joint(name).id for name in binding.joints])
        self.qpos, self._dofs = model.jnt_qposadr[joints], model.jnt_dofadr[joints]
        self._motors = np.array([model.actuator(name).id for name in binding.joints])
        gains, biases = model.actuator_gainprm, model.actuator_biasprm
        self._lead_s = -biases[self._motors, 2] / gains[self._motors, 0]
        self._timeout_s = base.command_timeout_s
        self._driver = LimitedVelocity(BaseLimitValues.of(base))
        self._goal, self._left_s = np.zeros(3), 0.0
        self._reference = np.zeros(3)

    def hold(self, data: mujoco.MjData) -> None:
        """Stand where it is (only at reset)."""
        self._goal, self._left_s = np.zeros(3), 0.0
        self._driver.begin(None)
        self._reference = data.qpos[self.qpos].copy()
        data.ctrl[self._motors] = self._reference

    def command(self, velocity: Array) -> None:
        """Take vx vy [m/s] wz [rad/s] in its own frame; it holds for a while."""
        self._goal, self._left_s = np.array(velocity, dtype=np.float64), self._timeout_s

    def servo(self, data: mujoco.MjData, dt_s: float) -> None:
        """Advance the reference by dt and set the motors."""
        self._left_s -= dt_s
        velocity = self._in_world(self._driver.step(self.goal, Elapsed(dt_s, dt_s)), data)
        lag = self._reference + velocity * dt_s - data.qpos[self.qpos]
        self._reference = data.qpos[self.qpos] + np.clip(lag, -_SLACK, _SLACK)
        data.ctrl[self._motors] = self._reference + self._lead_s * velocity

    @property
    def goal(self) -> Array:
        """The velocity that was asked for last, zero once it is too old."""
        return self._goal if self._left_s > 0.0 else np.zeros(3)

    def place(self, data: mujoco.MjData) -> Array:
        """Return x y [m] and yaw [rad] in the world, which is the frame of its odometry."""
        return np.array(data.qpos[self.qpos])

    def pose(self, data: mujoco.MjData) -> Pose:
        """Return its pose in the frame of the odometry."""
        x, y, yaw = data.qpos[self.qpos]
        return Pose(np.array([x, y, 0.0]), rotation.from_rpy([0.0, 0.0, yaw]))

    def velocity(self, data: mujoco.MjData) -> Array:
        """Return the measured vx vy wz in its own frame."""
        vx, vy, wz = data.qvel[self._dofs]
        c, s = self._heading(data)
        return np.array([c * vx + s * vy, c * vy - s * vx, wz])

    def save(self) -> Array:
        """Return the driver's own state [10]."""
        velocity = self._driver.velocity
        sent = np.zeros(3) if velocity is None else velocity
        return np.concatenate([self._reference, self._goal, sent, [self._left_s]])

    def load(self, state: Array) -> None:
        """Restore what `save` returned."""
        self._reference, self._goal = state[:3].copy(), state[3:6].copy()
        self._driver.begin(state[6:9].copy())
        self._left_s = float(state[9])

    def _in_world(self, velocity: Array, data: mujoco.MjData) -> Array:
        c, s = self._heading(data)
        vx, vy, wz = velocity
        return np.array([c * vx - s * vy, s * vx + c * vy, wz])

    def _heading(self, data: mujoco.MjData) -> tuple[float, float]:
        yaw = float(data.qpos[self.qpos[2]])
        return float(np.cos(yaw)), float(np.sin(yaw))
