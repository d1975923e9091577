# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One arm under teleoperation: anchored at the measured pose, moved within the arm's limits."""

from __future__ import annotations

import numpy as np

from evla_ros.control.limits import LimitState, LimitValues, goal_limits
from evla_ros.control.limits.motion import moved, turn_between
from evla_ros.embodiment import Arm
from evla_ros.geometry import Pose
from evla_ros.geometry.rotation import conjugate, from_rotvec, multiply, to_rotvec
from evla_ros.ros.teleop_command import Array, TeleopCommand


class TeleopArm:
    """`engage` on take-over, `move` every tick, `release` to hold where the arm is."""

    def __init__(self, arm: Arm, speed_m_s: float, speed_rad_s: float, scale: float) -> None:
        """`scale`: of a tracked hand's way; speeds are capped by the embodiment's limits."""
        self._limits = goal_limits(LimitValues.of(arm.limits))
        self._speed_m_s = min(speed_m_s, arm.limits.max_speed_m_s)
        self._speed_rad_s = min(speed_rad_s, arm.limits.max_rotation_rad_s)
        self._scale = scale
        self.goal: Pose | None = None
        self._linear, self._angular = np.zeros(3), np.zeros(3)
        self._device: tuple[Pose, Pose] | None = None  # the hand and the goal at the clutch

    def engage(self, measured: Pose) -> None:
        """Start from where the arm is, at rest: the hand-over without a bump."""
        self.goal = measured
        self._linear, self._angular = np.zeros(3), np.zeros(3)
        self._device = None

    release = engage

    def move(
        self, command: TeleopCommand | None, measured: Pose | None, dt_s: float
    ) -> Pose | None:
        """Return the goal of this tick; None for standing still. None before `engage`."""
        if self.goal is None or dt_s <= 0.0:
            return self.goal
        wanted = self._wanted(command, dt_s)
        linear = (wanted.position_m - self.goal.position_m) / dt_s
        angular = turn_between(self.goal, wanted) / dt_s
        state = LimitState(self.goal, self._linear, self._angular, linear, angular, measured)
        goal, _ = self._limits.limit(state, wanted, dt_s)
        self._linear = (goal.position_m - self.goal.position_m) / dt_s
        self._angular = turn_between(self.goal, goal) / dt_s
        self.goal = goal
        return goal

    def _wanted(self, command: TeleopCommand | None, dt_s: float) -> Pose:
        goal = self.goal
        if goal is None or command is None:
            self._device = None
            return goal if goal is not None else Pose.identity()
        if command.device_pose is not None:
            return self._follow(command.device_pose, goal)
        self._device = None
        linear = _unit(command.linear) * self._speed_m_s
        angular = _unit(command.angular) * self._speed_rad_s
        return moved(goal, linear, angular, dt_s)

    def _follow(self, device: Pose, goal: Pose) -> Pose:
        if self._device is None:
            self._device = (device, goal)
        hand, anchor = self._device
        way = (device.position_m - hand.position_m) * self._scale
        turn = multiply(device.quaternion_xyzw, conjugate(hand.quaternion_xyzw))
        turn = from_rotvec(to_rotvec(turn) * min(self._scale, 1.0))
        return Pose(anchor.position_m + way, multiply(turn, anchor.quaternion_xyzw))


def _unit(stick: Array) -> Array:
    """Clip a stick's deflection to length 1; what is not finite counts as released."""
    if not np.all(np.isfinite(stick)):
        return np.zeros(3)
    length = float(np.linalg.norm(stick))
    return stick / length if length > 1.0 else stick
