# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teleoperation of a whole robot: dead-man, hand-over, hold, silence. Knows no ROS."""

from __future__ import annotations

from dataclasses import dataclass

from evla_ros.control.authority import Authority, Rank
from evla_ros.control.graph_watch import GraphWatch
from evla_ros.control.limited_velocity import Velocity
from evla_ros.control.reasons import Finding, Reason, foremost
from evla_ros.control.stop_button import StopButton
from evla_ros.control.tick_clock import Elapsed
from evla_ros.control.ticks import ArmTick, Told
from evla_ros.data.alignment.observation import BaseState
from evla_ros.embodiment import Embodiment
from evla_ros.geometry import Pose
from evla_ros.ros.teleop.arm import TeleopArm
from evla_ros.ros.teleop.command import TeleopCommand
from evla_ros.ros.teleop.measured import Measured
from evla_ros.ros.teleop.moving_parts import TeleopAxis, TeleopBase
from evla_ros.units import SECOND_NS

_AGAIN = "Then let go of the dead-man and press it again."


@dataclass(frozen=True)
class TeleopSettings:
    """Speeds are those of a full stick, `scale` is that of a tracked hand.

    base_speed_*: of the base. axis_speed: share of the speed limit of an axis.

    dead_man_s: silence of a device that counts as let go. hold_s: how long the measured pose is
    sent after that.
    """

    speed_m_s: float = 0.2
    speed_rad_s: float = 0.8
    scale: float = 1.0
    dead_man_s: float = 0.3
    hold_s: float = 0.3
    base_speed_m_s: float = 0.3
    base_speed_rad_s: float = 0.6
    axis_speed: float = 0.5


@dataclass(frozen=True, eq=False)
class TeleopTick:
    """What to publish; active while teleoperation has the authority."""

    told: Told
    active: bool
    holder: str
    problem: str = ""

    @property
    def arms(self) -> tuple[ArmTick, ...]:
        """What each arm is told."""
        return self.told.arms


class TeleopCore:
    """Feed it commands as they come, tick it at the goal rate."""

    def __init__(self, embodiment: Embodiment, settings: TeleopSettings) -> None:
        self._settings = settings
        self._arms = [
            TeleopArm(arm, settings.speed_m_s, settings.speed_rad_s, settings.scale)
            for arm in embodiment.arms
        ]
        # A way of one goal takes two goal periods: one that ended before the next would stop there.
        self._way_ns = round(2.0 * SECOND_NS / embodiment.goal_rate_hz)
        base = embodiment.base
        speeds = settings.base_speed_m_s, settings.base_speed_rad_s
        self._base = None if base is None else TeleopBase(base, *speeds)
        self._axes = [TeleopAxis(axis, settings.axis_speed) for axis in embodiment.axes]
        self._measured = [
            Measured(f"pose of arm {index}", part.guard, arm.pose.max_age_s)
            for index, (arm, part) in enumerate(zip(embodiment.arms, self._arms, strict=True))
        ]
        if base is not None and self._base is not None:
            self._odometry = Measured("odometry of the base", self._base.guard, base.max_age_s)
        self._positions = [
            Measured(f"position of {axis.name}", part.guard, axis.max_age_s)
            for axis, part in zip(embodiment.axes, self._axes, strict=True)
        ]
        self.authority = Authority(round(settings.dead_man_s * SECOND_NS))
        self._commands: dict[str, TeleopCommand] = {}
        self._openings: list[float | None] = [None] * len(self._arms)
        self.button = StopButton(embodiment.estop.heartbeat_s)
        self.graph = GraphWatch()
        self._engaged = False
        self._barred = ""
        self._hold_until_ns = 0
        self._last_ns: int | None = None

    def on_pose(self, arm: int, stamp_ns: int, pose: Pose) -> None:
        """Take a measured pose; one that jumps is refused until others confirm it."""
        if self._arms[arm].guard.note(stamp_ns, stamp_ns, pose):
            self._measured[arm].heard(stamp_ns)

    def on_bad_pose(self, arm: int, now_ns: int, problem: str) -> None:
        """Take why a message with a measured pose is of no use."""
        self._measured[arm].refused(now_ns, problem)

    def on_odometry(self, now_ns: int, base: BaseState) -> str:
        """Take odometry of the base; returns what is wrong with it, '' when nothing is."""
        if self._base is None:
            return ""
        problem = self._base.note(now_ns, base.pose, base.velocity)
        if problem:
            self._odometry.refused(now_ns, problem)
        elif self._base.guard.refusal(now_ns) is None:
            self._odometry.heard(now_ns)
        return problem

    def on_bad_odometry(self, now_ns: int, problem: str) -> None:
        """Take why a message with odometry is of no use."""
        self._odometry.refused(now_ns, problem)

    def on_axis(self, axis: int, now_ns: int, position: float) -> None:
        """Take the measured position of an axis [m or rad]."""
        if self._axes[axis].note(now_ns, position):
            self._positions[axis].heard(now_ns)

    def on_bad_axis(self, axis: int, now_ns: int, problem: str) -> None:
        """Take why a message with the position of an axis is of no use."""
        self._positions[axis].refused(now_ns, problem)

    def stopped(self, now_ns: int) -> Finding | None:
        """Return what forbids every motion: the stop button, or a stranger in the graph."""
        return foremost([*self.button.findings(now_ns), *self.graph.findings()])

    def on_command(self, source: str, command: TeleopCommand, now_ns: int) -> None:
        """Take a reading of a device; without the dead-man it is a release."""
        if command.dead_man:
            self._commands[source] = command
            self.authority.claim(source, Rank.TELEOP, now_ns)
        else:
            self._commands.pop(source, None)
            self.authority.release(source)

    def stop(self) -> None:
        """End driving, whoever drives, until the dead-man is let go."""
        if self.authority.holder.rank is Rank.TELEOP:
            self._barred = f"Stopped by an operator. {_AGAIN}"

    def on_policy(self, now_ns: int, *, moving: bool) -> None:
        """Note whether the policy moves the robot."""
        if moving:
            self.authority.claim("policy", Rank.POLICY, now_ns)
        else:
            self.authority.release("policy")

    def tick(self, now_ns: int) -> TeleopTick:
        """Return what to publish now."""
        passed_s = 0.0 if self._last_ns is None else max(0.0, (now_ns - self._last_ns) / SECOND_NS)
        self._last_ns = now_ns
        elapsed = Elapsed(min(passed_s, 0.1), passed_s)
        holder = self.authority.update(now_ns)
        held_down = holder.rank is Rank.TELEOP
        if not held_down:
            self._barred = ""
        self._bar(now_ns)
        if held_down and not self._barred:
            return self._drive(holder.name, now_ns, elapsed)
        problem = self._barred if held_down else ""
        if self._engaged:
            self._let_go(now_ns)
        if now_ns < self._hold_until_ns or not all(part.held for part in self._parts()):
            return TeleopTick(self._hold(elapsed), active=True, holder="hold", problem=problem)
        return self._silence(holder.name, problem)

    def _drive(self, source: str, now_ns: int, elapsed: Elapsed) -> TeleopTick:
        problem = self._problem(now_ns)
        if not self._engaged:
            if problem:
                return self._silence(source, f"{problem}: teleoperation does not start")
            for part in self._parts():
                part.engage()
            self._engaged = True
        command = None if problem else self._commands.get(source)
        ticks = []
        for index, arm in enumerate(self._arms):
            mine = command if command is not None and command.arm == index else None
            goal = arm.move(mine, elapsed)
            if mine is not None and mine.opening is not None:
                self._openings[index] = mine.opening
            way = arm.way_to(goal, self._way_ns)
            ticks.append(ArmTick(goal, self._openings[index], way))
        if problem:
            problem = f"{problem}: the goals stand still"
        told = Told(tuple(ticks), *self._others(command, elapsed))
        return TeleopTick(told, active=True, holder=source, problem=problem)

    def _others(
        self, command: TeleopCommand | None, elapsed: Elapsed
    ) -> tuple[tuple[float, float, float] | None, tuple[float | None, ...]]:
        """Return what base and axes are told; without a command they stand."""
        stick = None if command is None else command.base
        base = None if self._base is None else _plain(self._base.drive(stick, elapsed))
        axes = []
        for index, axis in enumerate(self._axes):
            mine = command is not None and command.axis == index
            axes.append(axis.move(command.axis_rate if command and mine else 0.0, elapsed))
        return base, tuple(axes)

    def _hold(self, elapsed: Elapsed) -> Told:
        goals = [(arm, arm.hold(elapsed)) for arm in self._arms]
        return Told(
            tuple(ArmTick(goal, None, arm.way_to(goal, self._way_ns)) for arm, goal in goals),
            None if self._base is None else _plain(self._base.drive(None, elapsed)),
            tuple(axis.hold(elapsed) for axis in self._axes),
        )

    def _parts(self) -> list[TeleopArm | TeleopAxis | TeleopBase]:
        return [*self._arms, *self._axes, *([self._base] if self._base is not None else [])]

    def _silence(self, holder: str, problem: str = "") -> TeleopTick:
        for part in self._parts():
            part.forget()
        silent = Told(tuple(ArmTick(None) for _ in self._arms), None, (None,) * len(self._axes))
        return TeleopTick(silent, active=False, holder=holder, problem=problem)

    def _let_go(self, now_ns: int) -> None:
        """Hold where the arms are: the measured pose, latched once, then silence."""
        self._engaged = False
        for arm in self._arms:
            arm.release()
        for axis in self._axes:
            axis.release()
        self._openings = [None] * len(self._arms)
        self._hold_until_ns = now_ns + round(self._settings.hold_s * SECOND_NS)

    def _bar(self, now_ns: int) -> None:
        """End driving until the dead-man is let go: an arm is elsewhere, or motion is forbidden."""
        for part in self._parts():
            jump = part.guard.take_jump()
            if jump is not None and self._engaged:
                self._barred = f"{jump.text} {_AGAIN}"
        stop = self.stopped(now_ns)
        if stop is not None and stop.reason is not Reason.LISTENING:
            self._barred = f"{stop.text} {_AGAIN}"

    def _problem(self, now_ns: int) -> str:
        """Return why nobody can drive now, '' when somebody can."""
        stop = self.stopped(now_ns)
        if stop is not None:
            return stop.text.rstrip(".")
        odometry = [] if self._base is None else [self._odometry]
        problems = (one.problem(now_ns) for one in (*self._measured, *odometry, *self._positions))
        return next((problem for problem in problems if problem), "")


def _plain(velocity: Velocity) -> tuple[float, float, float]:
    vx, vy, wz = velocity.tolist()
    return vx, vy, wz
