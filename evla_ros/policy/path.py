# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Follows recorded goal poses from wherever the arms are; needs `ee_pose` in the proprio."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import Embodiment, proprio_layout
from evla_ros.geometry import Pose, delta_between, distance
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.types import Chunk, Observation

NUMBERS_PER_ARM = 8  # x y z qx qy qz qw, gripper
WAIT_BEYOND_M = 0.025


class PathPolicy:
    """Plays a path [T, 8 per arm] of goal poses and openings, one row per tick.

    Unlike a replay of deltas it does not drift: every chunk leads from the measured poses to the
    rows that come next, and the path waits where an arm is further than WAIT_BEYOND_M from its row.
    """

    def __init__(self, path: npt.NDArray[np.float64], embodiment: Embodiment) -> None:
        """Take the path; raises PolicyError when it does not fit the embodiment."""
        width = NUMBERS_PER_ARM * len(embodiment.arms)
        if path.ndim != 2 or path.shape[1] != width or len(path) == 0:
            raise PolicyError(f"a path of shape {list(path.shape)}; this robot takes [T, {width}]")
        if "ee_pose" not in embodiment.proprio:
            raise PolicyError(f"{embodiment.name} has no ee_pose in its proprio; a path needs it")
        rows = path.reshape(len(path), -1, NUMBERS_PER_ARM)
        self._goals = [[Pose.from_vector(arm[:7]) for arm in row] for row in rows]
        self._openings = rows[:, :, 7]
        layout = proprio_layout(embodiment)
        starts = [layout.slice_of(f"{arm.name}_ee_position").start for arm in embodiment.arms]
        self._poses = [slice(start, start + 7) for start in starts]
        self._tick_ns = round(1e9 / embodiment.rate_hz)
        self.chunk_length = embodiment.action.chunk
        self.action_dim = 7 * len(embodiment.arms)
        self.embodiment_hash = embodiment.content_hash
        self.reset()

    def infer(self, observation: Observation) -> Chunk:
        """Return the deltas to the next K rows."""
        measured = [Pose.from_vector(observation.proprio[part]) for part in self._poses]
        self._advance(observation.stamp_ns, measured)
        actions = np.zeros((self.chunk_length, self.action_dim))
        for arm, pose in enumerate(measured):
            before = pose
            for k in range(self.chunk_length):
                row = min(self._row + k, len(self._goals) - 1)
                goal = self._goals[row][arm]
                actions[k, 7 * arm : 7 * arm + 6] = delta_between(before, goal)
                actions[k, 7 * arm + 6] = self._openings[row, arm]
                before = goal
        return Chunk(observation.stamp_ns, actions)

    def reset(self) -> None:
        """Go back to the first row."""
        self._row, self._last_ns = 0, -1

    def _advance(self, stamp_ns: int, measured: list[Pose]) -> None:
        """Move on to the row after the one where the arms are, by at most the time that passed."""
        passed_ns = stamp_ns - self._last_ns if self._last_ns >= 0 else 0
        self._last_ns = stamp_ns
        passed = max(0, round(passed_ns / self._tick_ns))
        last = len(self._goals) - 1
        rows = range(min(self._row + passed, last), self._row - 1, -1)  # of equal rows the latest
        away_m = {row: self._away_m(measured, row) for row in rows}
        here = min(rows, key=lambda row: away_m[row])
        arrived = passed > 0 and away_m[here] <= WAIT_BEYOND_M
        self._row = min(here + 1, last) if arrived else here

    def _away_m(self, measured: list[Pose], row: int) -> float:
        pairs = zip(measured, self._goals[row], strict=True)
        return max(distance(pose, goal)[0] for pose, goal in pairs)
