# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy that follows recorded goals from wherever the robot is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import Embodiment, action_columns, proprio_layout
from evla_ros.geometry import Pose, delta_between, distance
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.types import Chunk, Observation

Array = npt.NDArray[np.float64]
NUMBERS_PER_ARM = 8  # x y z qx qy qz qw, gripper
NUMBERS_OF_BASE = 3  # x y yaw of the odometry
WAIT_BEYOND_M = 0.025
_DRIVING = np.array([0.08, 0.08, 0.10])  # x y [m] yaw [rad] that a driving base may be off
_STANDING = np.array([0.006, 0.006, 0.012])  # and one that stands, where the arm works
_STANDS_M = 0.004  # in a row
_CATCH_UP = 3  # actions that share the way to the first row


class PathPolicy:
    """Follows a path of goals, one row per tick.

    Unlike a replay of deltas it does not drift: every chunk leads from what is measured to the next
    rows of the path. The path waits while an arm is further than WAIT_BEYOND_M from its row, or the
    base is not there: nearly where it drives, closely where it stands. The robot's proprio vector
    must hold `ee_pose`, and `base_pose` where it has a base.
    """

    def __init__(self, path: Array, embodiment: Embodiment) -> None:
        """Take the path.

        Args:
            path: [T, D]: per arm x y z qx qy qz qw (metres, in `base_frame`) and the opening of the
                gripper, arms in the order of the embodiment file; then x y yaw of the base in the
                frame of its odometry; then the position of every axis.
            embodiment: the robot that will follow it.

        Raises:
            PolicyError: the path has another width or no rows, or the proprio lacks what it needs.
        """
        arms, base = len(embodiment.arms), embodiment.base is not None
        middle = NUMBERS_PER_ARM * arms
        width = middle + NUMBERS_OF_BASE * base + len(embodiment.axes)
        if path.ndim != 2 or path.shape[1] != width or len(path) == 0:
            raise PolicyError(f"a path of shape {list(path.shape)}; this robot takes [T, {width}]")
        for entry in ("ee_pose", *(["base_pose"] if base else [])):
            if entry not in embodiment.proprio:
                raise PolicyError(
                    f"{embodiment.name} has no {entry} in its proprio; a path needs it"
                )
        rows = path[:, :middle].reshape(len(path), -1, NUMBERS_PER_ARM)
        self._goals = [[Pose.from_vector(arm[:7]) for arm in row] for row in rows]
        self._openings = rows[:, :, 7]
        self._base = path[:, middle : middle + NUMBERS_OF_BASE] if base else None
        self._off = np.empty(0) if self._base is None else _may_be_off(self._base)
        self._axes = path[:, width - len(embodiment.axes) :]
        layout = proprio_layout(embodiment)
        starts = [layout.slice_of(f"{arm.name}_ee_position").start for arm in embodiment.arms]
        self._poses = [slice(start, start + 7) for start in starts]
        at = layout.slice_of("base_position").start if base else 0
        self._base_pose = slice(at, at + NUMBERS_OF_BASE)
        self._columns = action_columns(embodiment)
        self._rate_hz = embodiment.rate_hz
        self._tick_ns = round(1e9 / embodiment.rate_hz)
        self.chunk_length = embodiment.action.chunk
        self.action_dim = self._columns.size
        self.embodiment_hash = embodiment.content_hash
        self.reset()

    def infer(self, observation: Observation) -> Chunk:
        """Return what leads from the measured state to the next rows of the path."""
        measured = [Pose.from_vector(observation.proprio[part]) for part in self._poses]
        place = np.asarray(observation.proprio[self._base_pose], np.float64)
        self._advance(observation.stamp_ns, measured, place)
        rows = [min(self._row + k, len(self._goals) - 1) for k in range(self.chunk_length)]
        actions = np.zeros((self.chunk_length, self.action_dim))
        for arm, (columns, pose) in enumerate(zip(self._columns.arms, measured, strict=True)):
            before = pose
            for k, row in enumerate(rows):
                goal = self._goals[row][arm]
                actions[k, columns] = [*delta_between(before, goal), self._openings[row, arm]]
                before = goal
        if self._base is not None and self._columns.base is not None:
            actions[:, self._columns.base] = self._velocities(place, self._base[rows])
        actions[:, list(self._columns.axes)] = self._axes[rows]
        return Chunk(observation.stamp_ns, actions)

    def reset(self) -> None:
        """Begin with the first row again."""
        self._row, self._last_ns = 0, -1

    def _velocities(self, place: Array, goals: Array) -> Array:
        """Return [K, 3] vx vy wz that lead along goals [K, 3] x y yaw."""
        first = _velocity(place, goals[0])
        rows = np.array([np.zeros(3), *map(_velocity, goals[:-1], goals[1:])])
        share = min(_CATCH_UP, len(rows))
        rows[:share] += first / share
        return np.asarray(rows * self._rate_hz)

    def _advance(self, stamp_ns: int, measured: list[Pose], place: Array) -> None:
        """Move on to the row after the one the robot is at, by no more rows than ticks passed."""
        passed_ns = stamp_ns - self._last_ns if self._last_ns >= 0 else 0
        self._last_ns = stamp_ns
        passed = max(0, round(passed_ns / self._tick_ns))
        last = len(self._goals) - 1
        rows = range(min(self._row + passed, last), self._row - 1, -1)  # of equal rows the latest
        away = {row: self._away(measured, place, row) for row in rows}
        here = min(rows, key=lambda row: away[row])
        arrived = passed > 0 and away[here] <= 1.0
        self._row = min(here + 1, last) if arrived else here

    def _away(self, measured: list[Pose], place: Array, row: int) -> float:
        """Return how far the robot is from a row; more than 1 is too far to go on."""
        pairs = zip(measured, self._goals[row], strict=True)
        far_m = [distance(pose, goal)[0] for pose, goal in pairs]
        away = float(max(far_m)) / WAIT_BEYOND_M
        if self._base is None:
            return away
        off = np.abs(_velocity(place, self._base[row])) / self._off[row]
        return max(away, float(off.max()))


def _may_be_off(base: Array) -> Array:
    """Return [T, 3] how far x y [m] and yaw [rad] of a base may be off in each row of its path."""
    change = np.abs(np.diff(base, axis=0, append=base[-1:], prepend=base[:1]))
    drives = np.maximum(change[:-1], change[1:]).max(axis=1) > _STANDS_M
    return np.where(drives[:, None], _DRIVING, _STANDING)


def _velocity(before: Array, goal: Array) -> Array:
    """Return the way [3] from one x y yaw to another, in the frame of the first."""
    dx, dy, turn = goal - before
    turn = (turn + np.pi) % (2.0 * np.pi) - np.pi
    heading = before[2] + turn / 2.0
    c, s = np.cos(heading), np.sin(heading)
    return np.array([c * dx + s * dy, c * dy - s * dx, turn])
