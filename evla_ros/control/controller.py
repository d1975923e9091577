# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The control core: inputs, policy and limits become one goal per arm and tick, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evla_ros.control.arm_channel import ArmChannel
from evla_ros.control.chunk_check import chunk_problem
from evla_ros.control.chunk_scheduler import ChunkScheduler
from evla_ros.control.clock_watch import ClockWatch
from evla_ros.control.inputs import Inputs
from evla_ros.control.limits import LimitValues
from evla_ros.control.policy_watch import PolicyWatch
from evla_ros.control.reasons import Finding, Reason, foremost
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import Embodiment
from evla_ros.geometry import Pose
from evla_ros.policy.types import Chunk


@dataclass(frozen=True, eq=False)
class ArmTick:
    """goal: pose to publish, None for silence; opening: gripper command [0, 1] or None."""

    goal: Pose | None
    opening: float | None = None


@dataclass(frozen=True, eq=False)
class Tick:
    """What to publish now, and why."""

    now_ns: int
    finding: Finding
    arms: tuple[ArmTick, ...]
    moving: bool = False


@dataclass(frozen=True)
class LastStop:
    """The last time that motion ended for good, and why."""

    finding: Finding
    stamp_ns: int


class Controller:
    """One robot; one caller at a time. Times are int nanoseconds of the node's clock."""

    def __init__(
        self,
        embodiment: Embodiment,
        settings: ControlSettings,
        limits: Sequence[LimitValues] | None = None,
        *,
        simulated_clock: bool = False,
    ) -> None:
        """limits: per arm, the embodiment's own or tighter."""
        values = list(limits or [LimitValues.of(arm.limits) for arm in embodiment.arms])
        self._embodiment, self._settings = embodiment, settings
        self._simulated = simulated_clock
        self._max_dt_s = 2.0 / embodiment.goal_rate_hz
        self._clock = ClockWatch(simulated=simulated_clock)
        self._last: tuple[int, int] | None = None
        self._fault_since_ns: int | None = None
        self._holding: Finding | None = None
        self._silent = True
        self.inputs = Inputs(embodiment, settings)
        self.policy = PolicyWatch(settings)
        self.scheduler = ChunkScheduler(settings, round(1e9 / embodiment.rate_hz))
        self.arms = [
            ArmChannel(arm.name, value, settings)
            for arm, value in zip(embodiment.arms, values, strict=True)
        ]
        self.started = False
        self.epoch = 0
        self.clock_jumps = 0
        self.last_stop: LastStop | None = None

    # -- what the operator asks for --

    def reset(self) -> None:
        """Begin a life: not started, silent, nothing remembered of the last one but the inputs."""
        self._drop()
        self._clock.reset()
        self.policy = PolicyWatch(self._settings)
        self.started, self._silent, self.last_stop = False, True, None

    def start(self, now_ns: int) -> Finding | None:
        """Let the robot move; returns why not, None when it is started."""
        if self.started:
            return None
        blocker = foremost(self._blockers(now_ns))
        if blocker is not None:
            return blocker
        for arm in self.arms:
            arm.begin()
        self._drop()
        self.started, self._fault_since_ns = True, None
        self._holding = Finding(Reason.WAITING_FOR_CHUNK)
        self.policy.failure = None
        return None

    def stop(self, now_ns: int, finding: Finding | None = None) -> None:
        """End motion until the next start; the measured pose is held from the next tick on."""
        if not self.started:
            return
        self._drop()
        self.started, self._silent = False, False
        self.last_stop = LastStop(finding or Finding(Reason.OPERATOR_STOP), now_ns)

    def set_instruction(self, text: str) -> None:
        """Take a new instruction; a different one drops the chunk and every inference under way."""
        if text != self.inputs.instruction:
            self.inputs.instruction = text
            self._drop()
            self._holding = Finding(Reason.WAITING_FOR_CHUNK)

    # -- inference --

    def wants_inference(self, now_ns: int) -> bool:
        """Return whether to start one: started, nothing in the way, and the chunk soon over."""
        if not self.started or not self.policy.ready(now_ns) or self._blockers(now_ns):
            return False
        left_ns = self.scheduler.time_left_ns(now_ns)
        return left_ns <= self._settings.replan_time_left_s * 1e9

    def accept(self, chunk: Chunk, epoch: int, now_ns: int) -> int | None:
        """Take a chunk asked for in `epoch`; returns its late rows, None when it is not used."""
        if epoch != self.epoch or not self.started:
            self.policy.discarded()
            return None
        action = self._embodiment.action
        problem = chunk_problem(chunk, action.chunk, 7 * len(self.arms))
        if problem:
            self.policy.failed(Finding(Reason.ACTION_INVALID, problem), now_ns)
            return None
        stamp_ns = chunk.observation_stamp_ns
        anchors = [
            arm.anchor_at(stamp_ns, stream.max_age_ns)
            for arm, stream in zip(self.arms, self.inputs.poses, strict=True)
        ]
        goals = [arm.goal for arm in self.arms]
        if None in anchors or None in goals:
            detail = "no measured pose at the image's time"
            self.policy.failed(Finding(Reason.POSE_MISSING, detail), now_ns)
            return None
        late = self.scheduler.accept(
            chunk,
            [anchor for anchor in anchors if anchor is not None],
            [goal for goal in goals if goal is not None],
            [arm.values for arm in self.arms],
            now_ns,
        )
        self.policy.succeeded(chunk.inference_ns)
        if late >= action.chunk:
            self.policy.failure = Finding(Reason.CHUNK_EXHAUSTED, "all actions were already past")
        for arm, clipped in zip(self.arms, self.scheduler.clipped_steps, strict=False):
            if clipped:
                arm.clips[Reason.LIMIT_STEP] += clipped
        return late

    # -- the tick --

    def tick(self, now_ns: int, monotonic_ns: int) -> Tick:
        """Return what to publish now."""
        last_ns = self._last[0] if self._last else now_ns
        dt_s = self._dt_s(now_ns, monotonic_ns)
        if self._clock.jumped(now_ns, monotonic_ns):
            fresh = [self.inputs.pose_fresh(i, last_ns) for i in range(len(self.arms))]
            self._on_clock_jump(now_ns)
        else:
            fresh = [self.inputs.pose_fresh(i, now_ns) for i in range(len(self.arms))]
        blockers = self._blockers(now_ns)
        fault = foremost(blockers)
        if self.started and fault is not None and self._ends_motion(fault, now_ns):
            self.stop(now_ns, fault)
            self._silent = fault.reason is Reason.TELEOP
        if not self.started:
            return self._idle(now_ns, blockers, fresh, dt_s)
        if fault is not None:
            self.scheduler.drop()
            if fault.reason is Reason.TELEOP:
                return self._silence(now_ns, fault)
            return self._hold(now_ns, fault, fresh, dt_s)
        self._fault_since_ns = None if self.policy.failure is None else self._fault_since_ns
        return self._run(now_ns, fresh, dt_s)

    def _run(self, now_ns: int, fresh: Sequence[bool], dt_s: float) -> Tick:
        over_ns = -self.scheduler.time_left_ns(now_ns)
        if self.scheduler.active and over_ns > self._settings.settle_s * 1e9:
            self._holding = Finding(Reason.CHUNK_EXHAUSTED)
            self.scheduler.drop()
        if self.scheduler.active and not all(arm.tracks(dt_s) for arm in self.arms):
            self._holding = Finding(Reason.TRACKING_ERROR)
            self._drop()
            for arm in self.arms:
                arm.clips[Reason.TRACKING_ERROR] += not arm.tracks(dt_s)
        if not self.scheduler.active:
            failure = self.policy.failure
            if failure is not None and self._lasts_too_long(now_ns):
                self.stop(now_ns, failure)
            holding = failure or self._holding or Finding(Reason.WAITING_FOR_CHUNK)
            return self._hold(now_ns, holding, fresh, dt_s)
        arms = []
        for index, arm in enumerate(self.arms):
            wanted = self.scheduler.goal(index, now_ns)
            goal = arm.follow(wanted, self.scheduler.opening(index, now_ns), dt_s)
            arm.note_goal(now_ns)
            arms.append(ArmTick(goal, arm.opening))
        clips = {reason for arm in self.arms for reason in arm.last_clips}
        if not clips:
            return Tick(now_ns, Finding(Reason.MOVING), tuple(arms), moving=True)
        detail = " ".join(sorted(reason.sentence for reason in clips))
        return Tick(now_ns, Finding(Reason.MOVING_LIMITED, detail), tuple(arms), moving=True)

    def _idle(
        self, now_ns: int, blockers: list[Finding], fresh: Sequence[bool], dt_s: float
    ) -> Tick:
        stop = self.last_stop
        if stop is None:
            own = Finding(Reason.NOT_STARTED)
        elif stop.finding.reason in (Reason.OPERATOR_STOP, Reason.CLOCK_JUMP):
            own = stop.finding
        else:
            own = Finding(Reason.NOT_STARTED, f"last stop: {stop.finding.text}")
        finding = foremost([*blockers, own]) or own
        hold_ns = self._settings.hold_publish_s * 1e9
        if not self._silent and stop is not None and 0 < hold_ns <= now_ns - stop.stamp_ns:
            self._silent = True
        if self._silent:
            return self._silence(now_ns, finding)
        return self._hold(now_ns, finding, fresh, dt_s)

    def _silence(self, now_ns: int, finding: Finding) -> Tick:
        for arm in self.arms:
            arm.forget()
        return Tick(now_ns, finding, tuple(ArmTick(None) for _ in self.arms))

    def _hold(self, now_ns: int, finding: Finding, fresh: Sequence[bool], dt_s: float) -> Tick:
        arms = []
        for arm, is_fresh in zip(self.arms, fresh, strict=True):
            arms.append(ArmTick(arm.hold(dt_s, fresh=is_fresh)))
            arm.note_goal(now_ns)
        return Tick(now_ns, finding, tuple(arms))

    # -- helpers --

    def _blockers(self, now_ns: int) -> list[Finding]:
        found = self.inputs.findings(now_ns)
        policy = self.policy.blocker(now_ns)
        if policy is not None:
            found.append(policy)
        for index, arm in enumerate(self.arms):
            outside = arm.outside_m > self._settings.workspace_tolerance_m
            if outside and self.inputs.pose_fresh(index, now_ns):
                found.append(Finding(Reason.OUTSIDE_WORKSPACE, arm.name))
        return found

    def _ends_motion(self, fault: Finding, now_ns: int) -> bool:
        if fault.reason is Reason.ESTOP:
            return True
        if fault.reason is Reason.TELEOP:
            return not self._settings.resume_after_teleop
        return self._lasts_too_long(now_ns)

    def _lasts_too_long(self, now_ns: int) -> bool:
        if self._fault_since_ns is None:
            self._fault_since_ns = now_ns
        return now_ns - self._fault_since_ns > self._settings.resume_within_s * 1e9

    def _on_clock_jump(self, now_ns: int) -> None:
        self.clock_jumps += 1
        self.stop(now_ns, Finding(Reason.CLOCK_JUMP))
        self.inputs.watchdog.clear()
        self.policy.clock_jumped(now_ns)
        for arm in self.arms:
            arm.clear_history()
        if self.last_stop is not None:  # its time is on the old clock
            self.last_stop = LastStop(self.last_stop.finding, now_ns)

    def _drop(self) -> None:
        self.scheduler.drop()
        self.epoch += 1

    def _dt_s(self, now_ns: int, monotonic_ns: int) -> float:
        last, self._last = self._last, (now_ns, monotonic_ns)
        if last is None:
            return 0.0
        passed_ns = now_ns - last[0] if self._simulated else monotonic_ns - last[1]
        return min(max(passed_ns / 1e9, 0.0), self._max_dt_s)
