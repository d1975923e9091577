# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which goal a chunk asks for now: anchored at image time, late steps dropped, blended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evla_ros.control.goal_interpolator import blended, goal_at
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.settings import ControlSettings
from evla_ros.control.waypoints import Waypoints, waypoints_of
from evla_ros.geometry import Pose
from evla_ros.policy.types import Chunk


@dataclass(frozen=True, eq=False)
class _Plan:
    arms: tuple[Waypoints, ...]
    accepted_ns: int

    @property
    def end_ns(self) -> int:
        return self.arms[0].end_ns


class ChunkScheduler:
    """Holds the chunk in use and the one it takes over from, for all arms at once."""

    def __init__(self, settings: ControlSettings, tick_ns: int) -> None:
        """tick_ns: time of one action."""
        self._settings = settings
        self._tick_ns = tick_ns
        self._lag_ns = round(settings.executor_lag_s * 1e9)
        self._plan: _Plan | None = None
        self._from: _Plan | tuple[Pose, ...] = ()

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
    ) -> int:
        """Take over a usable chunk.

        anchors: per arm, the measured pose at the observation; goals: per arm, the goal published
            last.
        Returns the rows already in the past (K: all of them; the chunk is then not taken).
        """
        rows = len(chunk.actions)
        passed_ns = now_ns + self._lag_ns - chunk.observation_stamp_ns
        late = min(max(passed_ns // self._tick_ns, 0), rows)
        if late >= rows:
            return rows
        actions = np.asarray(chunk.actions, dtype=np.float64)
        arms = tuple(
            waypoints_of(
                actions[:, 7 * i : 7 * i + 7],
                anchor,
                chunk.observation_stamp_ns,
                self._tick_ns,
                values[i],
            )
            for i, anchor in enumerate(anchors)
        )
        self._from = self._plan if self._plan is not None else tuple(goals)
        self._plan = _Plan(arms, now_ns)
        return int(late)

    @property
    def clipped_steps(self) -> tuple[int, ...]:
        """Per arm, the actions of the chunk that the step limit clipped."""
        return tuple(arm.clipped for arm in self._plan.arms) if self._plan else ()

    def time_left_ns(self, now_ns: int) -> int:
        """Return how long the chunk still lasts, negative once it is over; 0 without a chunk."""
        return self._plan.end_ns - now_ns - self._lag_ns if self._plan else 0

    def rows_left(self, now_ns: int) -> int:
        """Return the actions not yet begun."""
        return max(0, self.time_left_ns(now_ns) // self._tick_ns)

    def goal(self, arm: int, now_ns: int) -> Pose:
        """Return the wanted goal of an arm; there must be a chunk."""
        assert self._plan is not None  # noqa: S101 - a caller inside the core checks `active`
        time_ns = now_ns + self._lag_ns
        new = goal_at(self._plan.arms[arm], time_ns)
        window_ns = self._settings.blend_s * 1e9
        passed_ns = now_ns - self._plan.accepted_ns
        if passed_ns >= window_ns or not self._from:
            return new
        if isinstance(self._from, _Plan):
            old = goal_at(self._from.arms[arm], time_ns)
        else:
            old = self._from[arm]
        return blended(old, new, passed_ns / window_ns)

    def opening(self, arm: int, now_ns: int) -> float:
        """Return the gripper number of the action under way."""
        assert self._plan is not None  # noqa: S101
        waypoints = self._plan.arms[arm]
        return float(waypoints.openings[waypoints.row_at(now_ns + self._lag_ns)])
