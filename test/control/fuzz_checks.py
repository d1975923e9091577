# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What must hold of every tick, whatever the policy, the robot and the graph do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from evla_ros.control.controller import Controller
from evla_ros.control.limits import LimitValues
from evla_ros.control.limits.motion import turn_between
from evla_ros.control.limits.moving_parts import BaseLimitValues
from evla_ros.control.reasons import Reason
from evla_ros.control.ticks import Tick
from evla_ros.geometry import Pose, distance

MOVING = (Reason.MOVING, Reason.MOVING_LIMITED)
EPSILON = 1e-7
NEAR_M = 0.12  # a pose that arrives between the start and the first goal may be that far off
# Numbers of float64 lose this much of a velocity in a tick of a microsecond.
VELOCITY_EPSILON = 1e-6


@dataclass
class Report:
    """ticks: all, and those that moved; by reason; what went wrong, in words."""

    ticks: int = 0
    moving: int = 0
    held: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        self.ticks += other.ticks
        self.moving += other.moving
        self.held += other.held
        self.reasons.update(other.reasons)
        self.violations += other.violations

    def __str__(self) -> str:
        seen = ", ".join(f"{name} {count}" for name, count in self.reasons.most_common())
        return (
            f"{self.ticks} ticks, {self.moving} moving, {self.held} held, "
            f"{len(self.violations)} violations; {seen}"
        )


class GoalCheck:
    """Box, speed and acceleration from one goal of an arm to the next."""

    def __init__(self, max_dt_s: float, tolerance_m: float) -> None:
        self._max_dt_s, self._tolerance_m = max_dt_s, tolerance_m
        self._goal: Pose | None = None
        self._linear, self._angular = np.zeros(3), np.zeros(3)

    def problems(
        self,
        goal: Pose | None,
        believed: Pose | None,
        values: LimitValues,
        passed_s: float,
        *,
        new: bool,
    ) -> list[str]:
        """Take the next goal; `new`: the limits were tightened since the last one."""
        before, self._goal = self._goal, goal
        if goal is None:
            return []
        if before is None:
            self._linear, self._angular = np.zeros(3), np.zeros(3)
            near = believed is not None and distance(goal, believed)[0] < NEAR_M
            found = [] if near else ["the first goal is not where the arm is believed"]
            return found + self._outside(goal, goal, values, self._tolerance_m)
        found = self._outside(before, goal, values, 0.0)
        if passed_s <= 0.0:
            moved = np.any(goal.position_m != before.position_m)
            return [*found, "a goal moved in no time"] if moved else found
        way, turn = goal.position_m - before.position_m, turn_between(before, goal)
        dt_s = min(passed_s, self._max_dt_s)
        if np.linalg.norm(way) > values.max_speed_m_s * dt_s + EPSILON:
            found.append(f"{np.linalg.norm(way) / dt_s:.3f} m/s")
        if np.linalg.norm(turn) > values.max_rotation_rad_s * dt_s + EPSILON:
            found.append(f"{np.linalg.norm(turn) / dt_s:.3f} rad/s")
        linear, angular = way / passed_s, turn / passed_s
        late = passed_s > self._max_dt_s * (1 + 1e-9)
        most = np.sqrt(2.0) * values.max_acceleration_m_s2 * passed_s
        most_rad = values.max_angular_acceleration_rad_s2 * passed_s
        for name, old, now, limit in (
            ("m/s", self._linear, linear, most),
            ("rad/s", self._angular, angular, most_rad),
        ):
            change = (
                np.linalg.norm(now) - np.linalg.norm(old) if late else np.linalg.norm(now - old)
            )
            if change > limit * (1 + 1e-6) + VELOCITY_EPSILON and not new:
                found.append(f"velocity changes by {change:.4f} {name} in {passed_s:.6f} s")
        self._linear, self._angular = linear, angular
        return found

    @staticmethod
    def _outside(before: Pose, goal: Pose, values: LimitValues, tolerance_m: float) -> list[str]:
        """A goal is inside the box, or no further outside than the last one was."""
        p, last = goal.position_m, before.position_m
        if not np.all(np.isfinite(p)):
            return ["the goal is not finite"]
        low = np.minimum(values.workspace_min_m, last if tolerance_m == 0.0 else np.inf)
        high = np.maximum(values.workspace_max_m, last if tolerance_m == 0.0 else -np.inf)
        inside = np.all(p >= low - tolerance_m - 1e-9) and np.all(p <= high + tolerance_m + 1e-9)
        return [] if inside else [f"goal {p.round(3).tolist()} outside its box"]


class VelocityCheck:
    """Speed and acceleration of the base from one velocity to the next."""

    def __init__(self, max_dt_s: float) -> None:
        self._max_dt_s = max_dt_s
        self._before: np.ndarray | None = None

    def problems(
        self,
        told: tuple[float, ...] | None,
        values: BaseLimitValues,
        passed_s: float,
        *,
        new: bool,
    ) -> list[str]:
        """Take the next velocity; `new`: the limits were tightened since the last one."""
        before, self._before = self._before, None if told is None else np.array(told)
        if told is None:
            return []
        v, found = np.array(told), []
        if not np.isfinite(v).all():
            return ["the velocity is not finite"]
        start = np.zeros(3) if before is None else before
        dt_s = min(max(passed_s, 0.0), self._max_dt_s)
        most = [values.max_speed_m_s, values.max_lateral_m_s, values.max_rotation_rad_s]
        # One above tightened limits brakes to them, no faster than it may.
        allowed = np.maximum(most, np.abs(start))
        if np.any(np.abs(v) > allowed + EPSILON):
            found.append(f"the base is told {v.round(3).tolist()}")
        change = np.abs(v - start)
        if np.hypot(*change[:2]) > values.max_acceleration_m_s2 * dt_s + EPSILON and not new:
            found.append(f"the velocity of the base changes by {change.round(4).tolist()}")
        if change[2] > values.max_angular_acceleration_rad_s2 * dt_s + EPSILON and not new:
            found.append(f"the rotation of the base changes by {change[2]:.4f} rad/s")
        return found


def state_problems(
    controller: Controller, tick: Tick, last_base: tuple[float, ...] | None
) -> list[str]:
    """Return what is wrong with the tick as a whole; last_base: told in the tick before."""
    found = []
    inputs, reason = controller.inputs, tick.finding.reason
    if reason is Reason.UNKNOWN or not tick.finding.text:
        found.append("no reason")
    if tick.moving != (reason in MOVING):
        found.append(f"moving is {tick.moving} and the reason is {reason.name}")
    if tick.moving and not controller.started:
        found.append("moving without a start")
    if inputs.estop_latched and controller.started:
        found.append("started in spite of the emergency stop")
    if inputs.teleop and not tick.told.silent:
        found.append("goals while a person has the authority")
    if tick.told.base is not None and np.any(tick.told.base) and not tick.moving:
        faster = np.abs(tick.told.base) > np.abs(last_base or (0.0, 0.0, 0.0)) + EPSILON
        if np.any(faster):
            found.append("the base gains speed while it is held")
    return found
