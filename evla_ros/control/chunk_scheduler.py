# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which goal a chunk asks for now: anchored at image time, late steps dropped, blended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evla_ros.control.goal_interpolator import blended, eased, goal_at
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.settings import ControlSettings
from evla_ros.control.velocity_plan import Velocity, VelocityPlan
from evla_ros.control.waypoints import Waypoints, positions_of, waypoints_of
from evla_ros.embodiment import ActionColumns
from evla_ros.embodiment.layout import columns_of_arms
from evla_ros.geometry import Pose
from evla_ros.policy.types import Chunk

_FASTEST = 100.0  # m/s, rad/s: what is faster stays this fast, where the limits on goals see it


@dataclass(frozen=True, eq=False)
class _Plan:
    lines: tuple[Waypoints, ...]
    base: VelocityPlan | None
    accepted_ns: int

    @property
    def end_ns(self) -> int:
        return self.lines[0].end_ns


class ChunkScheduler:
    """Holds the chunk in use and the one it takes over from, for the whole robot at once.

    Lines are what has a place: the arms in their order, then the axes.
    """

    def __init__(
        self, settings: ControlSettings, tick_ns: int, columns: ActionColumns | None = None
    ) -> None:
        """Take the settings.

        Args:
            settings: Those of the node.
            tick_ns: The time of one action.
            columns: Where the numbers of an action are; None: one arm.
        """
        self._settings = settings
        self._tick_ns = tick_ns
        self._columns = columns or columns_of_arms(1)
        self._lag_ns = round(settings.executor_lag_s * 1e9)
        self._plan: _Plan | None = None
        self._from: _Plan | tuple[Pose, ...] = ()
        self._from_velocity: Velocity = np.zeros(3)
        self.taken = 0  # grows with every chunk that is taken

    @property
    def active(self) -> bool:
        """Whether there is a chunk."""
        return self._plan is not None

    def drop(self) -> None:
        """Forget the chunk; the next one starts from where the goals are then."""
        self._plan, self._from = None, ()

    def accept(
        self,
        chunk: Chunk,
        anchors: Sequence[Pose],
        goals: Sequence[Pose],
        values: Sequence[LimitValues],
        now_ns: int,
        velocity: Velocity | None = None,
    ) -> int:
        """Take over a usable chunk.

        Args:
            chunk: K actions.
            anchors: Per line, the pose that it starts at.
            goals: Per line, the goal published last.
            values: Per line, its limits.
            now_ns: The node's clock.
            velocity: Of the base, sent last [3]; None: zero.

        Returns:
            The rows already in the past; K: all of them, and the chunk is not taken.
        """
        rows = len(chunk.actions)
        passed_ns = now_ns + self._lag_ns - chunk.observation_stamp_ns
        late = min(max(passed_ns // self._tick_ns, 0), rows)
        if late >= rows:
            return rows
        self._from = self._plan if self._plan is not None else tuple(goals)
        self._from_velocity = np.zeros(3) if velocity is None else velocity
        self._plan = self._plan_of(chunk, anchors, values, now_ns)
        self.taken += 1
        return int(late)

    def _plan_of(
        self, chunk: Chunk, anchors: Sequence[Pose], values: Sequence[LimitValues], now_ns: int
    ) -> _Plan:
        actions, start_ns = np.asarray(chunk.actions, np.float64), chunk.observation_stamp_ns
        columns, arms = self._columns, len(self._columns.arms)
        lines = [
            waypoints_of(actions[:, part], anchor, start_ns, self._tick_ns, limits)
            for part, anchor, limits in zip(columns.arms, anchors, values, strict=False)
        ]
        lines += [
            positions_of(actions[:, column], anchor, start_ns, self._tick_ns, limits)
            for column, anchor, limits in zip(
                columns.axes, anchors[arms:], values[arms:], strict=True
            )
        ]
        base = None
        if columns.base is not None:
            wanted = np.clip(actions[:, columns.base], -_FASTEST, _FASTEST)
            rows = np.vstack([self._from_velocity, wanted])
            base = VelocityPlan(start_ns, self._tick_ns, rows)
        return _Plan(tuple(lines), base, now_ns)

    @property
    def clipped_steps(self) -> tuple[int, ...]:
        """Per line, the actions of the chunk that the step limit clipped."""
        return tuple(line.clipped for line in self._plan.lines) if self._plan else ()

    def time_left_ns(self, now_ns: int) -> int:
        """Return how long the chunk still lasts, negative once it is over; 0 without a chunk."""
        return self._plan.end_ns - now_ns - self._lag_ns if self._plan else 0

    def rows_left(self, now_ns: int) -> int:
        """Return the actions not yet begun."""
        return max(0, self.time_left_ns(now_ns) // self._tick_ns)

    def waypoints_ahead(self, now_ns: int, least_ns: int) -> list[int]:
        """Return when the actions that are left end, in ns from now, and no sooner than `least_ns`.

        There must be a chunk; the last action's end is there even when it is sooner or over.
        """
        left_ns = self.time_left_ns(now_ns)
        rows = range(self.rows_left(now_ns), -1, -1)
        ends = [left_ns - row * self._tick_ns for row in rows]
        return [end for end in ends if end >= least_ns] or [least_ns]

    def goal(self, line: int, now_ns: int) -> Pose:
        """Return the wanted goal of a line; there must be a chunk."""
        assert self._plan is not None  # noqa: S101 - a caller inside the core checks `active`
        time_ns = now_ns + self._lag_ns
        new = goal_at(self._plan.lines[line], time_ns)
        weight = self._weight(now_ns)
        if weight >= 1.0 or not self._from:
            return new
        if isinstance(self._from, _Plan):
            old = goal_at(self._from.lines[line], time_ns)
        else:
            old = self._from[line]
        return blended(old, new, weight)

    def velocity(self, now_ns: int) -> Velocity:
        """Return the wanted velocity of the base [3]; there must be a chunk, and a base."""
        assert self._plan is not None  # noqa: S101
        assert self._plan.base is not None  # noqa: S101
        time_ns = now_ns + self._lag_ns
        new, weight = self._plan.base.at(time_ns), self._weight(now_ns)
        if weight >= 1.0:
            return new
        old = self._from_velocity
        if isinstance(self._from, _Plan) and self._from.base is not None:
            old = self._from.base.at(time_ns)
        return np.asarray(old + (new - old) * eased(weight))

    def _weight(self, now_ns: int) -> float:
        """Return how much the new chunk counts beside the old one; 1 and more: it alone."""
        assert self._plan is not None  # noqa: S101
        window_ns = self._settings.blend_s * 1e9
        passed_ns = now_ns - self._plan.accepted_ns
        return 1.0 if passed_ns >= window_ns else passed_ns / window_ns

    def opening(self, line: int, now_ns: int) -> float:
        """Return the gripper number of the action under way; 0.5, which switches none, of axes."""
        assert self._plan is not None  # noqa: S101
        waypoints = self._plan.lines[line]
        return float(waypoints.openings[waypoints.row_at(now_ns + self._lag_ns)])
