# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The box that no goal leaves, and braking in front of its walls."""

from __future__ import annotations

import math

import numpy as np

from evla_ros.control.limits.base import LimitState
from evla_ros.control.limits.motion import braking_speed
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.reasons import Reason
from evla_ros.geometry import Pose

_SEEN_M = 1e-5


class WorkspaceBox:
    """Keeps the goal inside the box, or no further outside than it was.

    The speed towards a wall is limited to what one axis' share of the acceleration can brake in
    time.
    """

    def __init__(self, values: LimitValues) -> None:
        """Take box and acceleration from the values."""
        self._low = np.array(values.workspace_min_m)
        self._high = np.array(values.workspace_max_m)
        self._acceleration = values.max_acceleration_m_s2 / math.sqrt(3.0)

    def outside_m(self, pose: Pose) -> float:
        """Return how far a pose is outside the box [m], 0 inside."""
        p = pose.position_m
        return float(np.linalg.norm(np.maximum(np.maximum(self._low - p, p - self._high), 0.0)))

    def limit(self, state: LimitState, command: Pose, dt_s: float) -> tuple[Pose, Reason | None]:
        """Return the goal with each axis held between its walls."""
        start, desired = state.previous.position_m, command.position_m
        position = desired.copy()
        for axis in range(3):
            down = max(0.0, start[axis] - self._low[axis])
            up = max(0.0, self._high[axis] - start[axis])
            lowest = start[axis] - dt_s * braking_speed(down, self._acceleration, dt_s)
            highest = start[axis] + dt_s * braking_speed(up, self._acceleration, dt_s)
            position[axis] = min(max(position[axis], lowest), highest)
        clipped = float(np.max(np.abs(position - desired)))
        if clipped == 0.0:
            return command, None
        reason = Reason.LIMIT_WORKSPACE if clipped > _SEEN_M else None
        return Pose(position, command.quaternion_xyzw), reason
