# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The control core: inputs, policy and limits become one goal per part and tick, with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from evla_ros.control.acceptance import Acceptance, Fate
from evla_ros.control.axis_pose import axis_pose
from evla_ros.control.chunk_follower import ChunkFollower
from evla_ros.control.fault_clock import FaultClock
from evla_ros.control.inputs import Inputs
from evla_ros.control.limited_velocity import Velocity
from evla_ros.control.limits.moving_parts import RobotLimits
from evla_ros.control.moving_parts import MovingParts
from evla_ros.control.policy_watch import PolicyWatch
from evla_ros.control.reasons import Finding, Reason, foremost
from evla_ros.control.settings import ControlSettings
from evla_ros.control.tick_clock import Beat, Elapsed, TickClock
from evla_ros.control.ticks import LastStop, Tick
from evla_ros.embodiment import Embodiment
from evla_ros.geometry import Pose
from evla_ros.policy.types import Chunk

_SHOWN_AS_IT_IS = (Reason.OPERATOR_STOP, Reason.RUN_ENDED, Reason.CLOCK_JUMP, Reason.GOAL_GAP)


class Controller:
    """One robot; one caller at a time. Times are int nanoseconds of the node's clock."""

    def __init__(
        self,
        embodiment: Embodiment,
        settings: ControlSettings,
        limits: RobotLimits | None = None,
        *,
        simulated_clock: bool = False,
    ) -> None:
        """Start without a pose, a chunk and the permission to move.

        Args:
            embodiment: The robot.
            settings: Times and distances of the node.
            limits: The embodiment's own or tighter; None: its own.
            simulated_clock: The node's clock is a simulator's: goals move with it.
        """
        self._embodiment, self._settings = embodiment, settings
        self._ticks = TickClock(
            simulated=simulated_clock,
            max_dt_s=2.0 / embodiment.goal_rate_hz,
            max_gap_s=settings.resume_within_s,
        )
        self._faults = FaultClock()
        self._silent = True
        self.inputs = Inputs(embodiment, settings)
        self.policy = PolicyWatch(settings)
        self.parts = MovingParts(embodiment, settings, limits or RobotLimits.of(embodiment))
        self.arms = self.parts.arms
        self._chunks = ChunkFollower(embodiment, settings, self.parts, self.inputs)
        self.scheduler = self._chunks.scheduler
        self.started = False
        self.clock_jumps = 0
        self.last_stop: LastStop | None = None

    @property
    def epoch(self) -> int:
        """Grows whenever what was asked of the policy counts no more; see `accept`."""
        return self._chunks.epoch

    # -- what the operator asks for --

    def reset(self) -> None:
        """Begin a life: not started, silent, nothing remembered of the last one but the inputs."""
        self._chunks.drop()
        self._ticks.reset()
        self.policy = PolicyWatch(self._settings)
        self.started, self._silent, self.last_stop = False, True, None
        self.parts.forget()

    def start(self, now_ns: int) -> Finding | None:
        """Let the robot move; returns why not, None when it is started."""
        if self.started:
            return None
        blocker = foremost(self._blockers(now_ns))
        if blocker is not None:
            return blocker
        self.parts.begin()
        self._chunks.begin()
        self.started = True
        self._faults.clear()
        self.policy.failure = None
        return None

    def stop(self, now_ns: int, finding: Finding | None = None) -> None:
        """End motion until the next start; the measured pose is held from the next tick on."""
        if not self.started:
            return
        self._chunks.drop()
        self.started, self._silent = False, False
        self.last_stop = LastStop(finding or Finding(Reason.OPERATOR_STOP), now_ns)

    @property
    def at_rest(self) -> bool:
        """Whether every hold has arrived, or nothing is sent; tick on until then before an end."""
        return not self.started and self.parts.held

    def set_instruction(self, text: str) -> bool:
        """Take an instruction; another one drops the chunk and every inference under way.

        Returns whether it is another one.
        """
        if text == self.inputs.instruction:
            return False
        self.inputs.instruction = text
        self._chunks.drop()
        self._chunks.holding = Finding(Reason.WAITING_FOR_CHUNK)
        return True

    # -- where the parts are --

    def note_pose(self, arm: int, stamp_ns: int, pose: Pose, now_ns: int) -> bool:
        """Take a measured pose of an arm.

        Args:
            arm: Its index in the embodiment file.
            stamp_ns: The pose's own time.
            pose: In the base frame.
            now_ns: Its arrival.

        Returns:
            Whether it is believed and newer than the last one; nothing follows it otherwise.
        """
        believed = self.arms[arm].note_pose(stamp_ns, pose, now_ns)
        if believed:
            self.inputs.poses[arm].note(stamp_ns, now_ns)
        return believed

    def note_axis(self, axis: int, stamp_ns: int, position: float, now_ns: int) -> bool:
        """Take a measured, finite position of an axis [m or rad]; as `note_pose`."""
        believed = self.parts.axes[axis].note_pose(stamp_ns, axis_pose(position), now_ns)
        if believed:
            self.inputs.axes[axis].note(stamp_ns, now_ns)
        return believed

    def note_odometry(self, stamp_ns: int, pose: Pose, velocity: Velocity, now_ns: int) -> bool:
        """Take odometry of the base: its pose, and its velocity [3] vx vy wz; as `note_pose`."""
        base, stream = self.parts.base, self.inputs.odometry
        if base is None or stream is None:
            return False
        problem = base.speed_problem(velocity)
        if problem:
            stream.reject(problem, now_ns)
            return False
        believed = base.note_odometry(stamp_ns, pose, velocity, now_ns)
        if believed:
            stream.note(stamp_ns, now_ns)
        return believed

    # -- inference --

    def wants_inference(self, now_ns: int) -> bool:
        """Return whether to start one: started, nothing in the way, and the chunk soon over.

        A camera whose last image could not be decoded is not in the way of trying the next one.
        """
        if not self.started or self._chunks.returning or not self.policy.ready(now_ns):
            return False
        if self.parts.silent:  # until now: the first hold comes first
            return False
        if self._blockers(now_ns, to_decode=True):
            return False
        left_ns = self.scheduler.time_left_ns(now_ns)
        return left_ns <= self._settings.replan_time_left_s * 1e9

    def accept(self, chunk: Chunk, epoch: int, now_ns: int) -> Acceptance:
        """Take the answer to an observation of `epoch`; its images were decoded, it shows."""
        self.inputs.images_decoded()
        if epoch != self.epoch or not self.started:
            self.policy.discarded()
            return Acceptance(Fate.OUTDATED)
        return self._chunks.take(chunk, self.policy, now_ns)

    # -- the tick --

    def tick(self, now_ns: int, monotonic_ns: int) -> Tick:
        """Return what to publish now.

        Args:
            now_ns: The node's clock.
            monotonic_ns: A clock that nobody sets.
        """
        beat = self._ticks.look(now_ns, monotonic_ns)
        aged_ns = beat.before_ns if beat.jumped else now_ns
        fresh = self._fresh(aged_ns)
        self._end_what_may_not_go_on(beat, now_ns)
        blockers = self._blockers(now_ns)
        if beat.stands:
            blockers.append(Finding(Reason.CLOCK_STOPPED))
        fault = foremost(blockers)
        if self.started and fault is not None and self._ends_motion(fault, now_ns, beat):
            self.stop(now_ns, fault)
        if not self.started:
            return self._idle(now_ns, blockers, fresh, beat.elapsed)
        if fault is None:
            return self._run(now_ns, fresh, beat)
        if fault.reason is Reason.CLOCK_STOPPED:  # no time passes: nothing ends, nothing moves
            return Tick(now_ns, fault, self.parts.repeat())
        self.scheduler.drop()
        return self._hold(now_ns, fault, fresh, beat.elapsed)

    def _end_what_may_not_go_on(self, beat: Beat, now_ns: int) -> None:
        """Stop after a jump of the clock or of a measured pose, and after a gap in the ticks."""
        if beat.jumped:
            self._on_clock_jump(now_ns)
        elif beat.gap_ns:
            # Where the arms are by now is not known: nothing was sent, so nothing is held either.
            self.stop(now_ns, Finding(Reason.GOAL_GAP, f"{beat.gap_ns / 1e9:.1f} s"))
            self._silent = True
        jump = self.parts.take_jump()
        if jump is not None:
            self.stop(now_ns, jump)

    def _run(self, now_ns: int, fresh: Sequence[bool], beat: Beat) -> Tick:
        elapsed = beat.elapsed
        if self.policy.failure is None:
            self._faults.well(now_ns)
        tick = self._chunks.follow(now_ns, elapsed)
        if tick is not None:
            return tick
        failure = self.policy.failure
        if failure is not None and self._lasts_too_long(now_ns, beat):
            self.stop(now_ns, failure)
        holding = failure or self._chunks.holding or Finding(Reason.WAITING_FOR_CHUNK)
        return self._hold(now_ns, holding, fresh, elapsed)

    def _idle(
        self, now_ns: int, blockers: list[Finding], fresh: Sequence[bool], elapsed: Elapsed
    ) -> Tick:
        stop = self.last_stop
        if stop is None:
            own = Finding(Reason.NOT_STARTED)
        elif stop.finding.reason in _SHOWN_AS_IT_IS:
            own = stop.finding
        else:
            own = Finding(Reason.NOT_STARTED, f"last stop: {stop.finding.text}")
        finding = foremost([*blockers, own]) or own
        hold_ns = self._settings.hold_publish_s * 1e9
        over = stop is not None and 0 < hold_ns <= now_ns - stop.stamp_ns
        if over and self.parts.held:
            self._silent = True
        if self._silent:
            return Tick(now_ns, finding, self.parts.forget())
        return self._hold(now_ns, finding, fresh, elapsed)

    def _hold(self, now_ns: int, finding: Finding, fresh: Sequence[bool], elapsed: Elapsed) -> Tick:
        if self.inputs.teleop:  # a person commands the robot, whatever else is the matter
            self._silent = True
            return Tick(now_ns, finding, self.parts.forget())
        return Tick(now_ns, finding, self.parts.hold(now_ns, fresh, elapsed))

    # -- helpers --

    def _blockers(self, now_ns: int, *, to_decode: bool = False) -> list[Finding]:
        found = self.inputs.findings(now_ns, to_decode=to_decode)
        policy = self.policy.blocker(now_ns)
        if policy is not None:
            found.append(policy)
        return found + self.parts.findings(now_ns, self._fresh(now_ns), started=self.started)

    def _fresh(self, now_ns: int) -> list[bool]:
        return [self.inputs.pose_fresh(line, now_ns) for line in range(len(self.parts.lines))]

    def _ends_motion(self, fault: Finding, now_ns: int, beat: Beat) -> bool:
        if fault.reason in (Reason.ESTOP, Reason.ESTOP_SILENT):
            return True
        if fault.reason is Reason.TELEOP:
            return not self._settings.resume_after_teleop
        if fault.reason is Reason.CLOCK_STOPPED:
            return False
        return self._lasts_too_long(now_ns, beat)

    def _lasts_too_long(self, now_ns: int, beat: Beat) -> bool:
        lasted_ns = self._faults.fault(now_ns, beat.before_ns)
        return lasted_ns > self._settings.resume_within_s * 1e9

    def _on_clock_jump(self, now_ns: int) -> None:
        self.clock_jumps += 1
        self.stop(now_ns, Finding(Reason.CLOCK_JUMP))
        self.inputs.clock_jumped()
        self.policy.clock_jumped(now_ns)
        self.parts.clock_jumped()
        if self.last_stop is not None:  # its time is on the old clock
            self.last_stop = LastStop(self.last_stop.finding, now_ns)
