# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One arm under teleoperation: anchored at the measured pose, moved within the arm's limits."""

from __future__ import annotations

import numpy as np

from evla_ros.control.goal_way import way_to
from evla_ros.control.limited_goal import LimitedGoal
from evla_ros.control.limits import LimitValues
from evla_ros.control.limits.motion import moved, turn_between
from evla_ros.control.pose_guard import PoseGuard
from evla_ros.control.settings import ControlSettings
from evla_ros.control.stop import Hold
from evla_ros.control.tick_clock import Elapsed
from evla_ros.embodiment import Arm
from evla_ros.embodiment.streams import told_ways
from evla_ros.geometry import Pose, Way
from evla_ros.geometry.rotation import conjugate, from_rotvec, multiply, to_rotvec
from evla_ros.ros.teleop.command import Array, TeleopCommand


class TeleopArm:
    """`engage` on take-over, `move` every tick, `release` and `hold` to end where the arm is.

    Measured poses go through the guard; only what it believes is ever started from or held.
    """

    def __init__(self, arm: Arm, speed_m_s: float, speed_rad_s: float, scale: float) -> None:
        """`scale`: of a tracked hand's way; speeds are capped by the embodiment's limits."""
        self.guard = PoseGuard.of(arm, ControlSettings())
        self._goal = LimitedGoal(LimitValues.of(arm.limits))
        self._hold = Hold(self._goal, self.guard)
        self._speed_m_s = min(speed_m_s, arm.limits.max_speed_m_s)
        self._speed_rad_s = min(speed_rad_s, arm.limits.max_rotation_rad_s)
        self._scale = scale
        self._device: tuple[Pose, Pose] | None = None  # the hand and the goal at the clutch
        self._told_ways, self._values = told_ways(arm), LimitValues.of(arm.limits)

    @property
    def goal(self) -> Pose | None:
        """The goal sent last; None after silence."""
        return self._goal.pose

    @property
    def held(self) -> bool:
        """Whether the goal has arrived at the pose that is held, or nothing is sent."""
        return self._hold.arrived

    def way_to(self, goal: Pose | None, least_ns: int) -> Way:
        """Return the way to a goal for an arm that is told ways, empty for any other.

        Args:
            goal: Of this tick.
            least_ns: The shortest time to take.
        """
        if goal is None or not self._told_ways:
            return ()
        return way_to(goal, self.guard.believed, self._values, least_ns)

    def engage(self) -> None:
        """Start from where the arm is, or from the goal that is still sent: without a bump."""
        self._hold.release()
        if self.goal is None:
            self._goal.begin(self.guard.believed)
        self._device = None

    def release(self) -> None:
        """Let go: from now on `hold`."""
        self._hold.release()
        self._device = None

    def hold(self, elapsed: Elapsed) -> Pose | None:
        """Return the next goal on the way to the measured pose, within the limits."""
        return self._hold.step(elapsed, near_box=True, fresh=True)

    def forget(self) -> None:
        """Fall silent."""
        self._hold.release()
        self._goal.begin(None)

    def move(self, command: TeleopCommand | None, elapsed: Elapsed) -> Pose | None:
        """Return the goal of this tick; None for standing still. None before `engage`."""
        goal = self.goal
        if goal is None:
            return None
        if elapsed.dt_s <= 0.0:
            return self._goal.step(goal, elapsed)
        desired = self._desired(command, goal, elapsed.dt_s)
        target = (
            (desired.position_m - goal.position_m) / elapsed.dt_s,
            turn_between(goal, desired) / elapsed.dt_s,
        )
        return self._goal.step(desired, elapsed, target)

    def _desired(self, command: TeleopCommand | None, goal: Pose, dt_s: float) -> Pose:
        if command is None:
            self._device = None
            return goal
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
