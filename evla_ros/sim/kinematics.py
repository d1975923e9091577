# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Differential inverse kinematics of one arm: a pose goal becomes joint velocities, within limits.

Damped least squares on MuJoCo's Jacobian (Nakamura 1986) with the rest posture in the null space.
It never jumps: a goal out of reach is approached at bounded speed until the arm is stretched to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.geometry.pose import Array, Pose
from evla_ros.geometry.rotation import conjugate, multiply, to_rotvec

_GAIN_PER_S = 28.0
_POSTURE_GAIN_PER_S = 1.5
_ROTATION_WEIGHT_M = 0.25
_WEIGHTS = np.array([[1.0]] * 3 + [[_ROTATION_WEIGHT_M]] * 3)
_DAMPING = 0.02**2 * np.eye(6)


@dataclass(frozen=True)
class MotionLimits:
    """Tool speed in m/s and rad/s, joint speed in rad/s."""

    speed_m_s: float
    rotation_rad_s: float
    joint_rad_s: float = 3.0


class DifferentialIk:
    """Solves one arm on a scratch copy of the kinematics; the physics state is never touched."""

    def __init__(
        self,
        model: mujoco.MjModel,
        site: int,
        joints: npt.NDArray[np.intp],
        rest_rad: Array,
        frame: int = 0,
    ) -> None:
        """Take the tool site, the 7 joint ids and the rest posture [7].

        frame: the body in whose frame poses are; its axes are the world's where every joint is 0.
        """
        self._model = model
        self._scratch = mujoco.MjData(model)
        self._site = site
        self._qpos = model.jnt_qposadr[joints]
        self._dofs = model.jnt_dofadr[joints]
        self._low, self._high = model.jnt_range[joints].T
        self._rest = rest_rad
        self._jac = np.zeros((6, model.nv))
        mujoco.mj_kinematics(model, self._scratch)
        self._origin_m = self._scratch.xpos[frame].copy()

    def forward(self, q_rad: Array) -> tuple[Array, Array]:
        """Return the tool's position [3] and quaternion xyzw [4] in base_frame at a posture [7]."""
        self._scratch.qpos[self._qpos] = q_rad
        mujoco.mj_kinematics(self._model, self._scratch)
        mujoco.mj_comPos(self._model, self._scratch)
        quat = np.empty(4)
        mujoco.mju_mat2Quat(quat, self._scratch.site_xmat[self._site])
        return self._scratch.site_xpos[self._site] - self._origin_m, quat[[1, 2, 3, 0]]

    def velocity(self, q_rad: Array, goal: Pose, limits: MotionLimits, dt_s: float) -> Array:
        """Return the joint velocities [7] in rad/s that move the tool toward a goal.

        Args:
            q_rad: [7] joint angles.
            goal: tool pose in base_frame.
            limits: speeds that are not exceeded.
            dt_s: how long the velocities will hold; no joint passes its range within it.
        """
        position, quaternion = self.forward(q_rad)
        mujoco.mj_jacSite(self._model, self._scratch, self._jac[:3], self._jac[3:], self._site)
        turn = to_rotvec(multiply(goal.quaternion_xyzw, conjugate(quaternion)))
        twist = np.empty(6)
        twist[:3] = _bounded(_GAIN_PER_S * (goal.position_m - position), limits.speed_m_s)
        twist[3:] = _bounded(_GAIN_PER_S * turn, limits.rotation_rad_s) * _ROTATION_WEIGHT_M
        jacobian = self._jac[:, self._dofs] * _WEIGHTS
        rest = _POSTURE_GAIN_PER_S * (self._rest - q_rad)
        velocity = _solve(jacobian, twist, rest)
        free = self._free(q_rad + velocity * dt_s)
        if not free.all():
            velocity = _solve(jacobian * free, twist, rest * free)
        velocity = velocity * min(1.0, limits.joint_rad_s / (np.abs(velocity).max() + 1e-9))
        lowest, highest = (self._low - q_rad) / dt_s, (self._high - q_rad) / dt_s
        return np.asarray(np.minimum(np.maximum(velocity, lowest), highest))

    def _free(self, ahead_rad: Array) -> npt.NDArray[np.bool_]:
        inside: npt.NDArray[np.bool_] = (ahead_rad >= self._low) & (ahead_rad <= self._high)
        return inside


def _solve(jacobian: Array, twist: Array, rest: Array) -> Array:
    """Return the damped least-squares velocity [7] with `rest` [7] in the null space."""
    gram = jacobian @ jacobian.T + _DAMPING
    return np.asarray(rest + jacobian.T @ np.linalg.solve(gram, twist - jacobian @ rest))


def _bounded(vector: Array, most: float) -> Array:
    length = float(np.sqrt(vector @ vector))
    return vector if length <= most else vector * (most / length)
