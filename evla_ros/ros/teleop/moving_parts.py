# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The base and the axes under teleoperation, within their limits. Knows no ROS."""

from __future__ import annotations

import math

import numpy as np

from evla_ros.control.axis_channel import axis_guard
from evla_ros.control.axis_pose import axis_pose, axis_position
from evla_ros.control.base_channel import fastest_believed, odometry_guard, speed_problem
from evla_ros.control.limited_goal import LimitedGoal
from evla_ros.control.limited_velocity import LimitedVelocity, Velocity
from evla_ros.control.limits.moving_parts import AxisLimitValues, BaseLimitValues
from evla_ros.control.settings import ControlSettings
from evla_ros.control.stop import Hold
from evla_ros.control.tick_clock import Elapsed
from evla_ros.embodiment import Axis, Base
from evla_ros.geometry import Pose
from evla_ros.ros.teleop.command import Array


class TeleopBase:
    """The base: `engage` on take-over, `drive` every tick, `brake` to end, `forget` for silence."""

    def __init__(self, base: Base, speed_m_s: float, speed_rad_s: float) -> None:
        """Speeds are those of a full stick, capped by the embodiment's limits."""
        limits = BaseLimitValues.of(base)
        self.guard = odometry_guard(base, ControlSettings())
        self._most = fastest_believed(limits)
        self._command = LimitedVelocity(limits)
        self._measured: Velocity | None = None
        self._full = np.array(
            [
                min(speed_m_s, limits.max_speed_m_s),
                min(speed_m_s, limits.max_lateral_m_s),
                min(speed_rad_s, limits.max_rotation_rad_s),
            ]
        )

    def note(self, stamp_ns: int, pose: Pose, velocity: Velocity) -> str:
        """Take odometry; returns what is wrong with it, '' when it is believed or not newer."""
        problem = speed_problem(velocity, self._most)
        if problem:
            return problem
        if self.guard.note(stamp_ns, stamp_ns, pose):
            self._measured = velocity
        return ""

    @property
    def held(self) -> bool:
        """Whether it is told to stand still, or nothing is sent."""
        return self._command.at_rest

    def engage(self) -> None:
        """Start from how it moves now: whoever drove it before is taken over from smoothly."""
        if self._command.velocity is None:
            self._command.begin(self._measured)

    def drive(self, stick: Array | None, elapsed: Elapsed) -> Velocity:
        """Return the velocity for a stick [3] in [-1, 1]; None brakes."""
        wanted = np.zeros(3)
        if stick is not None and np.isfinite(stick).all():
            wanted = np.clip(stick, -1.0, 1.0) * self._full
        return self._command.step(wanted, elapsed)

    def forget(self) -> None:
        """Fall silent."""
        self._command.begin(None)


class TeleopAxis:
    """One axis, as an arm is teleoperated: see `TeleopArm`; its goals are positions."""

    def __init__(self, axis: Axis, share: float) -> None:
        """`share`: of its speed limit that a full stick asks for."""
        values = AxisLimitValues.of(axis)
        self.guard = axis_guard(axis, ControlSettings())
        self._goal = LimitedGoal(values.on_a_line())
        self._hold = Hold(self._goal, self.guard)
        self._speed = share * values.max_speed

    @property
    def held(self) -> bool:
        """Whether the goal has arrived at the position that is held, or nothing is sent."""
        return self._hold.arrived

    def note(self, stamp_ns: int, position: float) -> bool:
        """Take a measured position; returns whether it is believed and newer."""
        return bool(self.guard.note(stamp_ns, stamp_ns, axis_pose(position)))

    def engage(self) -> None:
        """Start from where it is, or from the goal that is still sent."""
        self._hold.release()
        if self._goal.pose is None:
            self._goal.begin(self.guard.believed)

    def release(self) -> None:
        """Let go: from now on `hold`."""
        self._hold.release()

    def move(self, rate: float, elapsed: Elapsed) -> float | None:
        """Return the position for a stick in [-1, 1]; None before `engage`."""
        goal = self._goal.pose
        if goal is None:
            return None
        rate = min(1.0, max(-1.0, rate)) if math.isfinite(rate) else 0.0
        way, rest = np.array([rate * self._speed, 0.0, 0.0]), np.zeros(3)
        desired = axis_pose(axis_position(goal) + rate * self._speed * elapsed.dt_s)
        return axis_position(self._goal.step(desired, elapsed, (way, rest)))

    def hold(self, elapsed: Elapsed) -> float | None:
        """Return the next position on the way to the measured one."""
        pose = self._hold.step(elapsed, near_box=True, fresh=True)
        return None if pose is None else axis_position(pose)

    def forget(self) -> None:
        """Fall silent."""
        self._hold.release()
        self._goal.begin(None)
