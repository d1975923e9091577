# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joysticks, twist and pose sources as teleoperation devices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose
from evla_ros.geometry.pose import GeometryError
from evla_ros.ros.teleop.command import TeleopCommand


@dataclass(frozen=True)
class JoyMap:
    """Numbers of axes (negative: turned round, -1 is axis 0) and buttons of a gamepad.

    axes: for x y z roll pitch yaw; 99 means none. base: axes for vx vy wz. axis_up, axis_down,
    next_axis: buttons that move a single joint, and choose it.
    """

    dead_man: int = 4
    gripper: int = 0
    next_arm: int = 5
    axes: tuple[int, ...] = (1, 0, 4, 99, 99, 3)
    dead_zone: float = 0.08
    base: tuple[int, ...] = (7, 99, 6)
    axis_up: int = 3
    axis_down: int = 2
    next_axis: int = 1


class Joystick:
    """sensor_msgs/Joy: dead-man button, sticks, gripper and arm buttons on their press."""

    def __init__(self, arms: int, mapping: JoyMap, joints: int = 0) -> None:
        """arms, joints: how many arms and single joints (`axes` of the embodiment) there are."""
        self._arms, self._map, self._joints = arms, mapping, joints
        self._arm = self._joint = 0
        self._open = [True] * arms
        self._before: dict[int, bool] = {}

    def command(self, axes: Sequence[float], buttons: Sequence[int]) -> TeleopCommand:
        """Return what the joystick asks for."""
        held = self._pressed(buttons, self._map.dead_man)
        if self._edge(buttons, self._map.next_arm) and not held:
            self._arm = (self._arm + 1) % self._arms
        opening = None
        if self._edge(buttons, self._map.gripper) and held:
            self._open[self._arm] = not self._open[self._arm]
        if held:
            opening = float(self._open[self._arm])
        values = np.array([self._axis(axes, number) for number in self._map.axes])
        if self._edge(buttons, self._map.next_axis) and self._joints:
            self._joint = (self._joint + 1) % self._joints
        up, down = self._map.axis_up, self._map.axis_down
        rate = float(self._pressed(buttons, up)) - float(self._pressed(buttons, down))
        base = np.array([self._axis(axes, number) for number in self._map.base])
        return TeleopCommand(
            held, self._arm, values[:3], values[3:], None, opening, base, self._joint, rate
        )

    def _axis(self, axes: Sequence[float], number: int) -> float:
        index = number if number >= 0 else -1 - number
        if index >= len(axes):
            return 0.0
        value = float(axes[index])
        value = value if abs(value) > self._map.dead_zone else 0.0
        return value if number >= 0 else -value

    @staticmethod
    def _pressed(buttons: Sequence[int], number: int) -> bool:
        return 0 <= number < len(buttons) and bool(buttons[number])

    def _edge(self, buttons: Sequence[int], number: int) -> bool:
        now = self._pressed(buttons, number)
        before = self._before.get(number, False)
        self._before[number] = now
        return now and not before


def console_command(message: Any, arms: int, joints: int) -> TeleopCommand:
    """Return the command of an `evla_ros/TeleopCommand`, as the operator's console sends them.

    Args:
        message: The message.
        arms: How many arms the robot has.
        joints: How many single joints it has.

    Raises:
        EvlaError: It means an arm or a joint that the robot does not have.
    """
    if not message.dead_man:
        return TeleopCommand(dead_man=False)
    if message.arm >= arms:
        raise EvlaError(f"arm {message.arm} of a robot with {arms}; they are counted from 0")
    if message.axis >= max(joints, 1):
        raise EvlaError(f"joint {message.axis} of a robot with {joints}; they are counted from 0")
    opening = None if math.isnan(message.gripper) else min(1.0, max(0.0, message.gripper))
    return TeleopCommand(
        True,
        int(message.arm),
        np.asarray(message.linear, np.float64),
        np.asarray(message.angular, np.float64),
        None,
        opening,
        np.asarray(message.base, np.float64),
        int(message.axis),
        float(message.axis_rate),
    )


class Clutched:
    """A twist or pose topic: moves the arm while a clutch is held.

    Without a clutch topic every message is a held dead-man, and silence lets go.
    """

    def __init__(self, arm: int, base_frame: str, *, has_clutch: bool) -> None:
        self._arm, self._base_frame = arm, base_frame
        self.held = not has_clutch

    def twist(self, message: Any, full_m_s: float, full_rad_s: float) -> TeleopCommand:
        """Return the command of a TwistStamped: metres and radians per second in base_frame."""
        self._check(message.header.frame_id)
        linear, angular = message.twist.linear, message.twist.angular
        return TeleopCommand(
            self.held,
            self._arm,
            np.array([linear.x, linear.y, linear.z]) / full_m_s,
            np.array([angular.x, angular.y, angular.z]) / full_rad_s,
        )

    def base(self, message: Any, full_m_s: float, full_rad_s: float) -> TeleopCommand:
        """Return the command of a Twist for the base: m/s and rad/s in its own frame."""
        linear, turn = message.linear, message.angular.z
        stick = np.array([linear.x / full_m_s, linear.y / full_m_s, turn / full_rad_s])
        return TeleopCommand(self.held, self._arm, base=stick)

    def pose(self, message: Any) -> TeleopCommand:
        """Return the command of a tracked hand, in any fixed frame that is aligned with base_frame.

        EvlaError when it is not a pose.
        """
        point, turn = message.pose.position, message.pose.orientation
        try:
            pose = Pose(
                np.array([point.x, point.y, point.z]), np.array([turn.x, turn.y, turn.z, turn.w])
            )
        except GeometryError as error:
            raise EvlaError(f"pose of the hand: {error}") from error
        return TeleopCommand(self.held, self._arm, device_pose=pose)

    def _check(self, frame: str) -> None:
        if frame.lstrip("/") not in ("", self._base_frame):
            raise EvlaError(
                f"twist in frame {frame!r}; teleoperation takes {self._base_frame!r} and no other"
            )
