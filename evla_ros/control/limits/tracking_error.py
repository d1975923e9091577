# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far the goal may run ahead of the arm: a blocked arm must not be wound up and then lunge."""

from __future__ import annotations

from evla_ros.control.limits.base import LimitState
from evla_ros.control.reasons import Reason
from evla_ros.geometry import Pose, distance


class TrackingErrorLimit:
    """Re-anchors on the measured pose when the previous goal is too far from it."""

    def __init__(self, max_error_m: float, max_error_rad: float) -> None:
        """Largest distance between goal and measured pose."""
        self._metres, self._radians = max_error_m, max_error_rad

    def limit(self, state: LimitState, command: Pose, _dt_s: float) -> tuple[Pose, Reason | None]:
        """Return the measured pose instead of the command: no jump for the arm, which is there."""
        if state.measured is None:
            return command, None
        metres, radians = distance(state.previous, state.measured)
        if metres <= self._metres and radians <= self._radians:
            return command, None
        return state.measured, Reason.TRACKING_ERROR
