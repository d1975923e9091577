# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teleoperation of all arms: dead-man, hand-over, hold, silence. Knows no ROS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evla_ros.control.authority import Authority, Rank
from evla_ros.control.controller import ArmTick
from evla_ros.embodiment import Embodiment
from evla_ros.geometry import Pose
from evla_ros.ros.teleop_arm import TeleopArm
from evla_ros.ros.teleop_command import TeleopCommand

SECOND = 1_000_000_000


@dataclass(frozen=True)
class TeleopSettings:
    """Speeds are those of a full stick, `scale` is that of a tracked hand.

    dead_man_s: silence of a device that counts as let go. hold_s: how long the measured pose is
    sent after that.
    """

    speed_m_s: float = 0.2
    speed_rad_s: float = 0.8
    scale: float = 1.0
    dead_man_s: float = 0.3
    hold_s: float = 0.3


@dataclass(frozen=True, eq=False)
class TeleopTick:
    """What to publish: one entry per arm; active while teleoperation has the authority."""

    arms: tuple[ArmTick, ...]
    active: bool
    holder: str
    problem: str = ""


class TeleopCore:
    """Feed it commands as they come, tick it at the goal rate."""

    def __init__(self, embodiment: Embodiment, settings: TeleopSettings) -> None:
        self._settings = settings
        self._ages_ns = [round(arm.pose.max_age_s * SECOND) for arm in embodiment.arms]
        self._arms = [
            TeleopArm(arm, settings.speed_m_s, settings.speed_rad_s, settings.scale)
            for arm in embodiment.arms
        ]
        self.authority = Authority(round(settings.dead_man_s * SECOND))
        self._commands: dict[str, TeleopCommand] = {}
        self._measured: list[tuple[int, Pose] | None] = [None] * len(self._arms)
        self._openings: list[float | None] = [None] * len(self._arms)
        self._engaged = False
        self._hold_until_ns = 0
        self._last_ns: int | None = None

    def on_pose(self, arm: int, stamp_ns: int, pose: Pose) -> None:
        """Take a measured pose."""
        self._measured[arm] = (stamp_ns, pose)

    def on_command(self, source: str, command: TeleopCommand, now_ns: int) -> None:
        """Take a reading of a device; without the dead-man it is a release."""
        if command.dead_man:
            self._commands[source] = command
            self.authority.claim(source, Rank.TELEOP, now_ns)
        else:
            self._commands.pop(source, None)
            self.authority.release(source)

    def on_policy(self, now_ns: int, *, moving: bool) -> None:
        """Note whether the policy moves the robot."""
        if moving:
            self.authority.claim("policy", Rank.POLICY, now_ns)
        else:
            self.authority.release("policy")

    def tick(self, now_ns: int) -> TeleopTick:
        """Return what to publish now."""
        dt_s = 0.0 if self._last_ns is None else max(0.0, (now_ns - self._last_ns) / SECOND)
        self._last_ns = now_ns
        holder = self.authority.update(now_ns)
        if holder.rank is Rank.TELEOP:
            return self._drive(holder.name, now_ns, min(dt_s, 0.1))
        if self._engaged:
            self._let_go(now_ns)
        if now_ns < self._hold_until_ns:
            arms = tuple(ArmTick(arm.goal) for arm in self._arms)
            return TeleopTick(arms, active=True, holder="hold")
        silent = tuple(ArmTick(None) for _ in self._arms)
        return TeleopTick(silent, active=False, holder=holder.name)

    def _drive(self, source: str, now_ns: int, dt_s: float) -> TeleopTick:
        if not self._engaged:
            late = self._stale_arm(now_ns)
            if late is not None:
                silent = tuple(ArmTick(None) for _ in self._arms)
                problem = f"no fresh pose of arm {late}: teleoperation does not start"
                return TeleopTick(silent, active=False, holder=source, problem=problem)
            self._engage_all()
            self._engaged = True
            dt_s = 0.0  # the first goal is the measured pose itself
        command = self._commands.get(source)
        ticks = []
        for index, arm in enumerate(self._arms):
            mine = command if command is not None and command.arm == index else None
            measured = self._measured[index]
            goal = arm.move(mine, None if measured is None else measured[1], dt_s)
            if mine is not None and mine.opening is not None:
                self._openings[index] = mine.opening
            ticks.append(ArmTick(goal, self._openings[index]))
        return TeleopTick(tuple(ticks), active=True, holder=source)

    def _let_go(self, now_ns: int) -> None:
        """Hold where the arms are: the measured pose, latched once, then silence."""
        self._engaged = False
        self._engage_all()
        self._openings = [None] * len(self._arms)
        self._hold_until_ns = now_ns + round(self._settings.hold_s * SECOND)

    def _engage_all(self) -> None:
        for arm, measured in zip(self._arms, self._measured, strict=True):
            if measured is not None:
                arm.engage(measured[1])

    def _stale_arm(self, now_ns: int) -> int | None:
        ages: Sequence[int] = self._ages_ns
        for index, measured in enumerate(self._measured):
            if measured is None or now_ns - measured[0] > ages[index]:
                return index
        return None
