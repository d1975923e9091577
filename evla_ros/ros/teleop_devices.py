# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joysticks, twist and pose sources as teleoperation devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose
from evla_ros.geometry.pose import GeometryError
from evla_ros.ros.teleop_command import TeleopCommand

OnCommand = Callable[[str, TeleopCommand], None]


@dataclass(frozen=True)
class JoyMap:
    """Numbers of axes (negative: turned round, -1 is axis 0) and buttons of a gamepad.

    axes: for x y z roll pitch yaw; 99 means none.
    """

    dead_man: int = 4
    gripper: int = 0
    next_arm: int = 5
    axes: tuple[int, ...] = (1, 0, 4, 99, 99, 3)
    dead_zone: float = 0.08


class Joystick:
    """sensor_msgs/Joy: dead-man button, sticks, gripper and arm buttons on their press."""

    def __init__(self, arms: int, mapping: JoyMap) -> None:
        self._arms, self._map = arms, mapping
        self._arm = 0
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
        return TeleopCommand(held, self._arm, values[:3], values[3:], opening=opening)

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

    def pose(self, message: Any) -> TeleopCommand:
        """Return the command of a tracked hand, in any fixed frame that is aligned with base_frame.

        EvlaError when it is not a pose.
        """
        point, turn = message.pose.position, message.pose.orientation
        try:
            pose = Pose([point.x, point.y, point.z], [turn.x, turn.y, turn.z, turn.w])
        except GeometryError as error:
            raise EvlaError(f"pose of the hand: {error}") from error
        return TeleopCommand(self.held, self._arm, device_pose=pose)

    def _check(self, frame: str) -> None:
        if frame.lstrip("/") not in ("", self._base_frame):
            raise EvlaError(
                f"twist in frame {frame!r}; teleoperation takes {self._base_frame!r} and no other"
            )
