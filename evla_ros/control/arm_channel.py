# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One arm: which measured poses are believed, and the goal that follows the policy or holds."""

from __future__ import annotations

from collections import Counter

from evla_ros.control.chunk_scheduler import ChunkScheduler
from evla_ros.control.goal_way import way_along
from evla_ros.control.gripper import GripperSwitch
from evla_ros.control.limited_goal import LimitedGoal
from evla_ros.control.limits import LimitState, LimitValues, TrackingErrorLimit, WorkspaceBox
from evla_ros.control.limits.motion import turn_between
from evla_ros.control.pose_guard import PoseGuard, PoseRules
from evla_ros.control.pose_history import PoseHistory
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.stop import Hold
from evla_ros.control.tick_clock import Elapsed
from evla_ros.geometry import Pose, Way

_MAX_AGE_S = 0.2
_TELL_AGAIN_NS = 100_000_000


class ArmChannel:
    """State of one arm between ticks."""

    def __init__(
        self,
        name: str,
        values: LimitValues,
        settings: ControlSettings,
        guard: PoseGuard | None = None,
    ) -> None:
        """Start without a pose and without a goal.

        Args:
            name: The arm's.
            values: The limits on its goals.
            settings: Those of the node.
            guard: Judges its measured poses; None makes one from the values.
        """
        self.name = name
        self.guard = guard or PoseGuard(name, PoseRules.of(values, settings, _MAX_AGE_S))
        self.history = PoseHistory()
        self._goals = PoseHistory(capacity=1000)
        self._anchor_on_goal = settings.anchor == "goal"
        self._tolerance_m = settings.workspace_tolerance_m
        self.clips: Counter[Reason] = Counter()
        self.last_clips: tuple[Reason, ...] = ()
        self._gripper = GripperSwitch(settings.gripper_open_above, settings.gripper_close_below)
        self._tracking = TrackingErrorLimit(
            settings.max_tracking_error_m, settings.max_tracking_error_rad
        )
        self._goal = LimitedGoal(values)
        self._hold = Hold(self._goal, self.guard)
        self._desired: Pose | None = None
        self._told: tuple[object, ...] = ()  # what the last way was made for
        self._told_ns = 0
        self.set_limits(values)

    def set_limits(self, values: LimitValues) -> None:
        """Use these limits from the next tick on."""
        self.values = values
        self._told = ()
        self._goal.set_limits(values)
        self._box = WorkspaceBox(values)

    # -- where the arm is --

    @property
    def measured(self) -> Pose | None:
        """The newest measured pose that is believed."""
        return self.guard.believed

    @property
    def outside_m(self) -> float:
        """How far the measured pose is outside the workspace box [m]."""
        return self._box.outside_m(self.measured) if self.measured is not None else 0.0

    @property
    def near_box(self) -> bool:
        """Whether the measured pose is inside the box, or no further outside than is tolerated."""
        return self.outside_m <= self._tolerance_m

    def note_pose(self, stamp_ns: int, pose: Pose, now_ns: int | None = None) -> bool:
        """Take a measured pose.

        Args:
            stamp_ns: Its own time on the node's clock.
            pose: In the base frame.
            now_ns: Its arrival; None: its own time.

        Returns:
            Whether it is believed; False as well when its stamp is not newer.
        """
        turns = self.guard.turns
        samples = self.guard.note(stamp_ns, stamp_ns if now_ns is None else now_ns, pose)
        if self.guard.turns != turns:
            self.history.clear()
        for sample in samples:
            self.history.add(*sample)
        return bool(samples)

    def findings(self, now_ns: int) -> list[Finding]:
        """Return what about the measured poses forbids motion."""
        refusal = self.guard.refusal(now_ns)
        return [] if refusal is None else [refusal]

    def take_jump(self) -> Finding | None:
        """Return a jump of the measured pose that was confirmed since the last call."""
        return self.guard.take_jump()

    def anchor_at(self, stamp_ns: int, max_gap_ns: int) -> Pose | None:
        """Return where the deltas of an observation of that time start, None if unknown."""
        measured = self.history.at(stamp_ns, max_gap_ns)
        if measured is None or not self._anchor_on_goal:
            return measured
        return self._goals.latest_before(stamp_ns) or measured

    def clock_jumped(self) -> None:
        """Forget every time."""
        self.guard.clock_jumped()
        self.history.clear()
        self._goals.clear()

    # -- where it shall go --

    @property
    def goal(self) -> Pose | None:
        """The goal published last; None after silence."""
        return self._goal.pose

    @property
    def opening(self) -> float | None:
        """The gripper opening commanded last."""
        return self._gripper.opening

    def forget(self) -> None:
        """Let go of goal and hold: the node is silent, another may move the arm."""
        self._begin(None)
        self._told = ()
        self._goals.clear()

    def begin(self) -> None:
        """Start from the measured pose, at rest; from the goal where one is still being sent."""
        self._begin(self.measured if self.goal is None else self.goal)

    def note_goal(self, now_ns: int) -> None:
        """Remember that the goal is in force from now on."""
        if self._anchor_on_goal and self.goal is not None:
            self._goals.add(now_ns, self.goal)

    def repeat(self) -> Pose | None:
        """Return the last goal once more; None where the node is silent."""
        return self.goal and self._goal.step(self.goal, Elapsed(0.0, 0.0))

    def hold(self, elapsed: Elapsed, *, fresh: bool) -> Pose | None:
        """Return the goal of a stopped arm; see `Hold.step`."""
        self._desired, self.last_clips = None, ()
        return self._hold.step(elapsed, near_box=self.near_box, fresh=fresh)

    @property
    def held(self) -> bool:
        """Whether the goal has arrived at the pose that is held, or nothing is sent."""
        return self._hold.arrived

    def tracks(self) -> bool:
        """Return whether the arm follows its goals; if not, hold and ask for a new chunk."""
        if self.goal is None:
            return True
        state = LimitState.at_rest(self.goal, self.measured)
        return self._tracking.limit(state, self.goal, 0.0)[1] is None

    def follow(self, desired: Pose, opening: float, elapsed: Elapsed) -> Pose:
        """Return the goal nearest to the desired one that the limits allow."""
        self._hold.release()
        self._gripper.update(opening)
        if not self._goal.sent:
            self._goal.begin(self.measured)
        before = self._desired or self.goal or desired
        if elapsed.dt_s <= 0.0:
            return self._goal.step(desired, elapsed)
        target = (
            (desired.position_m - before.position_m) / elapsed.passed_s,
            turn_between(before, desired) / elapsed.passed_s,
        )
        goal = self._goal.step(desired, elapsed, target)
        self._desired, self.last_clips = desired, self._goal.clips
        self.clips.update(self.last_clips)
        return goal

    # -- the same in advance, for a consumer of whole ways --

    def way_along(self, plan: ChunkScheduler, line: int, now_ns: int, period_ns: int) -> Way:
        """Return the way through the rest of a chunk; empty when the last one told is that.

        Args:
            plan: Holds the chunk.
            line: Which of its lines this arm is.
            now_ns: The start of the way.
            period_ns: Between two goals.
        """
        if self._told == ("chunk", plan.taken):
            return ()
        self._told = ("chunk", plan.taken)
        start = self._goal.from_here(self.measured or plan.goal(line, now_ns))
        times_ns = plan.waypoints_ahead(now_ns, period_ns)
        return way_along(start, lambda after: plan.goal(line, now_ns + after), times_ns, period_ns)

    def way_to_hold(self, now_ns: int, tick_ns: int, period_ns: int) -> Way:
        """Return the way to the pose that is held; empty when it was told a moment ago.

        It is told again and again: whoever has not heard the first one hears another.

        Args:
            now_ns: The start of the way.
            tick_ns: Between its waypoints.
            period_ns: Between two goals.
        """
        target = self._hold.target
        if target is None or self.goal is None:
            self._told = ()
            return ()
        told = ("hold", target)
        if self._told == told and 0 <= now_ns - self._told_ns < _TELL_AGAIN_NS:
            return ()
        self._told, self._told_ns = told, now_ns
        start = self._goal.from_here(self.measured or target)
        return way_along(start, lambda _: target, [tick_ns], period_ns)

    def _begin(self, pose: Pose | None) -> None:
        self._hold.release()
        self._gripper.reset()
        if pose is None or pose is not self.goal:  # a goal that is being sent keeps its velocity
            self._goal.begin(pose)
        self._desired, self.last_clips = None, ()
