# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything of a robot that moves, as one: arms, the base, single joints."""

from __future__ import annotations

from collections.abc import Sequence

from evla_ros.control.arm_channel import ArmChannel
from evla_ros.control.axis_channel import axis_channel
from evla_ros.control.axis_pose import axis_position
from evla_ros.control.base_channel import BaseChannel
from evla_ros.control.chunk_scheduler import ChunkScheduler
from evla_ros.control.limited_velocity import Velocity
from evla_ros.control.limits.moving_parts import RobotLimits
from evla_ros.control.pose_guard import PoseGuard
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.tick_clock import Elapsed
from evla_ros.control.ticks import ArmTick, Told
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import told_ways
from evla_ros.geometry import Pose, Way


class MovingParts:
    """The channels of one robot; `lines` are those that have a place: arms, then axes."""

    def __init__(
        self, embodiment: Embodiment, settings: ControlSettings, limits: RobotLimits
    ) -> None:
        """Start without a measurement and silent."""
        self.arms = [
            ArmChannel(arm.name, values, settings, PoseGuard.of(arm, settings))
            for arm, values in zip(embodiment.arms, limits.arms, strict=True)
        ]
        self.axes = [
            axis_channel(axis, values, settings)
            for axis, values in zip(embodiment.axes, limits.axes, strict=True)
        ]
        self.lines = [*self.arms, *self.axes]
        self._told_ways = [told_ways(arm) for arm in embodiment.arms]
        self._tick_ns = round(1e9 / embodiment.rate_hz)
        # Limits on a way hold at any period; ten a waypoint are smooth, and soon computed.
        self._period_ns = max(round(1e9 / embodiment.goal_rate_hz), self._tick_ns // 10)
        self.base: BaseChannel | None = None
        if embodiment.base is not None and limits.base is not None:
            self.base = BaseChannel(embodiment.base, limits.base, settings)

    @property
    def channels(self) -> tuple[ArmChannel | BaseChannel, ...]:
        """Every part, each with a name and with what its limits clipped."""
        return (*self.lines, *([self.base] if self.base is not None else []))

    def set_limits(self, limits: RobotLimits) -> None:
        """Use these limits from the next tick on."""
        for arm, values in zip(self.arms, limits.arms, strict=True):
            arm.set_limits(values)
        for axis, range_ in zip(self.axes, limits.axes, strict=True):
            axis.set_limits(range_.on_a_line())
        if self.base is not None and limits.base is not None:
            self.base.set_limits(limits.base)

    # -- where they are --

    def findings(self, now_ns: int, fresh: Sequence[bool], *, started: bool) -> list[Finding]:
        """Return what about the measurements forbids motion.

        Args:
            now_ns: The time to judge at.
            fresh: Per line, whether its newest measurement is young enough.
            started: Whether the robot moves already; a start asks for confirmed measurements.
        """
        found: list[Finding] = []
        for index, line in enumerate(self.lines):
            found += line.findings(now_ns)
            if not started:
                found += _unconfirmed(line.guard)
            if not line.near_box and fresh[index]:
                arm = index < len(self.arms)
                reason = Reason.OUTSIDE_WORKSPACE if arm else Reason.AXIS_OUTSIDE
                found.append(Finding(reason, line.name))
        if self.base is not None:
            found += self.base.findings(now_ns)
            if not started:
                found += _unconfirmed(self.base.guard)
        return found

    def axes_at(self, stamp_ns: int) -> dict[str, float]:
        """Return by name the newest position of every axis from no later than then [m or rad]."""
        before = {axis.name: axis.history.latest_before(stamp_ns) for axis in self.axes}
        return {name: axis_position(pose) for name, pose in before.items() if pose is not None}

    def take_jump(self) -> Finding | None:
        """Return a jump of a measurement that was confirmed since the last call."""
        guards = [channel.guard for channel in self.channels]
        jumps = [jump for guard in guards if (jump := guard.take_jump()) is not None]
        return jumps[0] if jumps else None

    def clock_jumped(self) -> None:
        """Forget every time."""
        for channel in self.channels:
            channel.clock_jumped()

    def lost(self) -> list[ArmChannel]:
        """Return the lines that do not follow their goals."""
        return [line for line in self.lines if not line.tracks()]

    # -- where they shall go --

    @property
    def silent(self) -> bool:
        """Whether an arm or axis has no goal yet."""
        return any(line.goal is None for line in self.lines)

    @property
    def held(self) -> bool:
        """Whether every hold has arrived, or nothing is sent."""
        return all(channel.held for channel in self.channels)

    def begin(self) -> None:
        """Start from where they are, at rest; from the goal where one is still being sent."""
        for line in self.lines:
            line.begin()

    def forget(self) -> Told:
        """Let go of every goal: the node is silent, another may move the robot."""
        for channel in self.channels:
            channel.forget()
        return Told(tuple(ArmTick(None) for _ in self.arms), None, tuple(None for _ in self.axes))

    def follow(self, plan: ChunkScheduler, now_ns: int, elapsed: Elapsed) -> Told:
        """Return what is nearest to the chunk that the limits allow."""
        for index, line in enumerate(self.lines):
            line.follow(plan.goal(index, now_ns), plan.opening(index, now_ns), elapsed)
            line.note_goal(now_ns)
        arms = tuple(
            ArmTick(arm.goal, arm.opening, self._way_along(index, plan, now_ns))
            for index, arm in enumerate(self.arms)
        )
        base = None
        if self.base is not None:
            base = self.base.follow(plan.velocity(now_ns), elapsed)
        return Told(arms, _plain(base), tuple(_position(axis.goal) for axis in self.axes))

    def hold(self, now_ns: int, fresh: Sequence[bool], elapsed: Elapsed) -> Told:
        """Return what is told to stopped parts: arms and axes stay, the base brakes to zero."""
        goals = []
        for line, is_fresh in zip(self.lines, fresh, strict=True):
            goals.append(line.hold(elapsed, fresh=is_fresh))
            line.note_goal(now_ns)
        arms = len(self.arms)
        base = None if self.base is None else self.base.hold(elapsed)
        return Told(
            tuple(
                ArmTick(goal, None, self._way_to_hold(index, now_ns))
                for index, goal in enumerate(goals[:arms])
            ),
            _plain(base),
            tuple(_position(goal) for goal in goals[arms:]),
        )

    def _way_along(self, index: int, plan: ChunkScheduler, now_ns: int) -> Way:
        if not self._told_ways[index]:
            return ()
        return self.arms[index].way_along(plan, index, now_ns, self._period_ns)

    def _way_to_hold(self, index: int, now_ns: int) -> Way:
        if not self._told_ways[index]:
            return ()
        return self.arms[index].way_to_hold(now_ns, self._tick_ns, self._period_ns)

    def repeat(self) -> Told:
        """Return what was told last once more."""
        return Told(
            tuple(ArmTick(arm.repeat()) for arm in self.arms),
            _plain(None if self.base is None else self.base.velocity),
            tuple(_position(axis.repeat()) for axis in self.axes),
        )


def _unconfirmed(guard: PoseGuard) -> list[Finding]:
    if guard.believed is None or guard.confirmed:
        return []
    return [Finding(Reason.POSE_UNCONFIRMED, guard.subject)]


def _position(goal: Pose | None) -> float | None:
    return None if goal is None else axis_position(goal)


def _plain(velocity: Velocity | None) -> tuple[float, float, float] | None:
    if velocity is None:
        return None
    vx, vy, wz = velocity.tolist()
    return vx, vy, wz
