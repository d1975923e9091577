# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One arm's goals: follows the wanted goal within the limits, or holds; knows its last one."""

from __future__ import annotations

from collections import Counter

import numpy as np

from evla_ros.control.gripper import GripperSwitch
from evla_ros.control.limits import (
    LimitState,
    LimitValues,
    SpeedLimit,
    TrackingErrorLimit,
    WorkspaceBox,
    goal_limits,
)
from evla_ros.control.limits.motion import turn_between
from evla_ros.control.pose_history import PoseHistory
from evla_ros.control.reasons import Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.stop import Hold
from evla_ros.geometry import Pose


class ArmChannel:
    """State of one arm between ticks."""

    def __init__(self, name: str, values: LimitValues, settings: ControlSettings) -> None:
        """Start without a goal; `begin` anchors it."""
        self.name = name
        self.history = PoseHistory()
        self._goals = PoseHistory(capacity=1000)
        self._anchor_on_goal = settings.anchor == "goal"
        self.measured: Pose | None = None
        self.clips: Counter[Reason] = Counter()
        self.last_clips: tuple[Reason, ...] = ()
        self._gripper = GripperSwitch(settings.gripper_open_above, settings.gripper_close_below)
        self._tracking = TrackingErrorLimit(
            settings.max_tracking_error_m, settings.max_tracking_error_rad
        )
        self._state: LimitState | None = None
        self._wanted: Pose | None = None
        self._hold: Hold | None = None
        self.set_limits(values)

    def set_limits(self, values: LimitValues) -> None:
        """Use these limits from the next tick on."""
        self.values = values
        self._limits = goal_limits(values)
        self._speed = SpeedLimit(values.max_speed_m_s, values.max_rotation_rad_s)
        self._box = WorkspaceBox(values)

    @property
    def outside_m(self) -> float:
        """How far the measured pose is outside the workspace box [m]."""
        return self._box.outside_m(self.measured) if self.measured is not None else 0.0

    @property
    def goal(self) -> Pose | None:
        """The goal published last."""
        return self._state.previous if self._state else None

    @property
    def opening(self) -> float | None:
        """The gripper opening commanded last."""
        return self._gripper.opening

    def note_pose(self, stamp_ns: int, pose: Pose) -> bool:
        """Take a measured pose; False when its stamp is not newer."""
        if not self.history.add(stamp_ns, pose):
            return False
        self.measured = pose
        return True

    def forget(self) -> None:
        """Let go of goal and hold: the node is silent, another may move the arm."""
        self._hold, self.last_clips = None, ()
        self._goals.clear()
        self._anchor(None)

    def anchor_at(self, stamp_ns: int, max_gap_ns: int) -> Pose | None:
        """Return where the deltas of an observation of that time start, None if unknown."""
        measured = self.history.at(stamp_ns, max_gap_ns)
        if measured is None or not self._anchor_on_goal:
            return measured
        return self._goals.latest_before(stamp_ns) or measured

    def note_goal(self, now_ns: int) -> None:
        """Remember that the goal is in force from now on."""
        if self._anchor_on_goal and self.goal is not None:
            self._goals.add(now_ns, self.goal)

    def clear_history(self) -> None:
        """Forget every time; the clock jumped."""
        self.history.clear()
        self._goals.clear()

    def begin(self) -> None:
        """Anchor on the measured pose, at rest; the caller made sure that there is one."""
        self._hold = None
        self._gripper.reset()
        self._anchor(self.measured)

    def hold(self, dt_s: float, *, fresh: bool) -> Pose | None:
        """Return the goal of a stopped arm; the first call latches the measured pose."""
        if self._hold is None:
            if self.measured is None:
                return None
            self._hold = Hold(self.measured, fresh=fresh, speed=self._speed)
        goal = self._hold.goal(self.goal, dt_s)
        self._anchor(goal)
        self.last_clips = ()
        return goal

    def tracks(self, dt_s: float) -> bool:
        """Return whether the arm follows its goals; if not, hold and ask for a new chunk."""
        if self._state is None:
            return True
        state = self._with_measured(self._state)
        return self._tracking.limit(state, state.previous, dt_s)[1] is None

    def follow(self, wanted: Pose, opening: float, dt_s: float) -> Pose:
        """Return the goal nearest to the wanted one that the limits allow."""
        self._hold = None
        if self._state is None:
            self._anchor(self.measured)
        state = self._state
        assert state is not None  # noqa: S101 - the caller's inputs are fresh, so a pose is there
        self._gripper.update(opening)
        if dt_s <= 0.0:
            return state.previous
        before = self._wanted or state.previous
        state = LimitState(
            state.previous,
            state.linear_m_s,
            state.angular_rad_s,
            (wanted.position_m - before.position_m) / dt_s,
            turn_between(before, wanted) / dt_s,
            self.measured,
        )
        goal, self.last_clips = self._limits.limit(state, wanted, dt_s)
        self.clips.update(self.last_clips)
        linear = (goal.position_m - state.previous.position_m) / dt_s
        angular = turn_between(state.previous, goal) / dt_s
        self._wanted = wanted
        self._state = LimitState(goal, linear, angular, linear, angular, self.measured)
        return goal

    def _with_measured(self, state: LimitState) -> LimitState:
        return LimitState(
            state.previous,
            state.linear_m_s,
            state.angular_rad_s,
            np.zeros(3),
            np.zeros(3),
            self.measured,
        )

    def _anchor(self, pose: Pose | None) -> None:
        self._wanted = None
        self._state = LimitState.at_rest(pose) if pose is not None else None
