# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One simulated arm and its executor: keeps tracking the last pose goal, as a real one does."""

from __future__ import annotations

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array, Pose, compose, inverse
from evla_ros.sim.description import ARM_JOINTS, FINGER_TRAVEL_M, ArmBinding
from evla_ros.sim.kinematics import DifferentialIk, MotionLimits

_WINDUP_RAD = 0.03
_FINGER_SPEED_M_S = 0.16


class SimArm:
    """Joint position servos under differential IK, and a gripper; all ids of one arm live here."""

    def __init__(
        self, model: mujoco.MjModel, binding: ArmBinding, limits: MotionLimits, frame: str = ""
    ) -> None:
        """Find the arm's parts in the model by its prefix; frame: the body that poses are in."""
        self.name = binding.name
        self.prefix = binding.prefix
        self.home_rad = np.array(binding.home_rad)
        self._limits = limits
        p = binding.prefix
        joints = np.array([model.joint(f"{p}joint{i + 1}").id for i in range(ARM_JOINTS)])
        fingers = [model.joint(f"{p}{side}_finger_joint") for side in ("left", "right")]
        motors = np.array([model.actuator(f"{p}joint{i + 1}").id for i in range(ARM_JOINTS)])
        self.qpos = model.jnt_qposadr[joints]
        self.dofs = model.jnt_dofadr[joints]
        self._finger_qpos = np.array([int(f.qposadr[0]) for f in fingers])
        self._motors = motors
        self._lead_s = -model.actuator_biasprm[motors, 2] / model.actuator_gainprm[motors, 0]
        self._grip = model.actuator(f"{p}grip").id
        self.site = model.site(f"{p}gripper").id
        self.pads = tuple(int(model.geom(f"{p}{side}_pad").id) for side in ("left", "right"))
        self.geoms = frozenset(g for g in range(model.ngeom) if model.geom(g).name.startswith(p))
        self._frame = model.body(frame).id if frame else 0
        self.ik = DifferentialIk(model, self.site, joints, self.home_rad, self._frame)
        self.goal = Pose.identity()
        self.grip_goal = 1.0
        self._reference = self.home_rad.copy()
        self._grip_reference_m = FINGER_TRAVEL_M

    def set_posture(self, data: mujoco.MjData, q_rad: Array, opening: float) -> None:
        """Put the arm at a posture [7] at rest, and hold it there (only at reset)."""
        data.qpos[self.qpos] = q_rad
        data.qvel[self.dofs] = 0.0
        data.qpos[self._finger_qpos] = opening * FINGER_TRAVEL_M
        self._reference = q_rad.copy()
        self._grip_reference_m = opening * FINGER_TRAVEL_M
        self.goal = Pose(*self.ik.forward(q_rad))
        self.grip_goal = opening
        data.ctrl[self._motors] = q_rad
        data.ctrl[self._grip] = self._grip_reference_m

    def posture_for(self, goal: Pose, steps: int = 80) -> Array:
        """Return a posture [7] near home whose tool is at, or as near as it gets to, a pose."""
        free = MotionLimits(5.0, 20.0, 50.0)
        q_rad = self.home_rad.copy()
        for _ in range(steps):
            q_rad = q_rad + self.ik.velocity(q_rad, goal, free, 0.02) * 0.02
        return np.asarray(q_rad)

    def servo(self, data: mujoco.MjData, dt_s: float) -> None:
        """Advance the joint and gripper references by dt toward the goals and set the motors."""
        measured = data.qpos[self.qpos]
        velocity = self.ik.velocity(self._reference, self.goal, self._limits, dt_s)
        slack = _WINDUP_RAD + np.abs(velocity) * dt_s
        lag = self._reference + velocity * dt_s - measured
        self._reference = measured + np.minimum(np.maximum(lag, -slack), slack)
        data.ctrl[self._motors] = self._reference + self._lead_s * velocity
        reach = _FINGER_SPEED_M_S * dt_s
        missing_m = self.grip_goal * FINGER_TRAVEL_M - self._grip_reference_m
        self._grip_reference_m += min(max(missing_m, -reach), reach)
        data.ctrl[self._grip] = self._grip_reference_m

    def pose(self, data: mujoco.MjData) -> Pose:
        """Return the measured tool pose in the base frame."""
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, data.site_xmat[self.site])
        pose = Pose(data.site_xpos[self.site], quat[[1, 2, 3, 0]])
        return pose if self._frame == 0 else compose(inverse(self._frame_pose(data)), pose)

    def _frame_pose(self, data: mujoco.MjData) -> Pose:
        return Pose(data.xpos[self._frame], data.xquat[self._frame][[1, 2, 3, 0]])

    def opening(self, data: mujoco.MjData) -> float:
        """Return the measured gripper opening in [0, 1], 1 = open."""
        return float(np.clip(data.qpos[self._finger_qpos].mean() / FINGER_TRAVEL_M, 0.0, 1.0))

    def save(self) -> Array:
        """Return the executor's own state [16]."""
        tail = [self.grip_goal, self._grip_reference_m]
        return np.concatenate([self._reference, self.goal.as_vector(), tail])

    def load(self, state: Array) -> None:
        """Restore what `save` returned."""
        self._reference = state[:ARM_JOINTS].copy()
        self.goal = Pose.from_vector(state[ARM_JOINTS : ARM_JOINTS + 7])
        self.grip_goal, self._grip_reference_m = float(state[-2]), float(state[-1])
