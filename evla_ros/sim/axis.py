# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated single joint, such as a lift, and its driver: goes to the last position goal."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import Axis
from evla_ros.sim.description import AxisBinding

Array = npt.NDArray[np.float64]


class SimAxis:
    """A position servo whose reference moves at the speed limit of the embodiment file."""

    def __init__(self, model: mujoco.MjModel, binding: AxisBinding, axis: Axis) -> None:
        """Find the joint in the model."""
        self.name, self.joint = binding.name, axis.joint or binding.joint
        joint = model.joint(binding.joint)
        self.qpos, self.dof = int(joint.qposadr[0]), int(joint.dofadr[0])
        self._motor = model.actuator(binding.joint).id
        gains, biases = model.actuator_gainprm, model.actuator_biasprm
        self._lead_s = float(-biases[self._motor, 2] / gains[self._motor, 0])
        self._low, self._high, self._speed = axis.limits.min, axis.limits.max, axis.limits.max_speed
        self.goal = self._reference = 0.0

    def hold(self, data: mujoco.MjData) -> None:
        """Stay where it is (only at reset)."""
        self.goal = self._reference = self.position(data)
        data.ctrl[self._motor] = self._reference

    def command(self, position: float) -> None:
        """Take a goal [m or rad]."""
        self.goal = min(max(position, self._low), self._high)

    def servo(self, data: mujoco.MjData, dt_s: float) -> None:
        """Advance the reference by dt towards the goal and set the motor."""
        reach = self._speed * dt_s
        step = min(max(self.goal - self._reference, -reach), reach)
        self._reference += step
        data.ctrl[self._motor] = self._reference + self._lead_s * step / dt_s

    def position(self, data: mujoco.MjData) -> float:
        """Return the measured position [m or rad]."""
        return float(data.qpos[self.qpos])

    def save(self) -> Array:
        """Return the driver's own state [2]."""
        return np.array([self.goal, self._reference])

    def load(self, state: Array) -> None:
        """Restore what `save` returned."""
        self.goal, self._reference = (float(number) for number in state)
