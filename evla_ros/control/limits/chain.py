# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Limits one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from evla_ros.control.limits.acceleration import AccelerationLimit
from evla_ros.control.limits.base import Limit, LimitState
from evla_ros.control.limits.speed import SpeedLimit
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.limits.workspace import WorkspaceBox
from evla_ros.control.reasons import Reason
from evla_ros.geometry import Pose


class LimitChain:
    """Applies limits in order; the later one has the last word."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        """Take the limits, weakest claim first."""
        self._limits = tuple(limits)

    def limit(
        self, state: LimitState, command: Pose, dt_s: float
    ) -> tuple[Pose, tuple[Reason, ...]]:
        """Return the goal and every reason that changed it."""
        reasons: list[Reason] = []
        for limit in self._limits:
            command, reason = limit.limit(state, command, dt_s)
            if reason is not None:
                reasons.append(reason)
        return command, tuple(reasons)


def goal_limits(values: LimitValues) -> LimitChain:
    """Return the limits of one arm.

    Speed comes after acceleration and the box last: each of these only shortens the way from the
    previous goal (the box, axis by axis), so what an earlier limit granted still holds.
    """
    return LimitChain(
        [
            AccelerationLimit(values),
            SpeedLimit(values.max_speed_m_s, values.max_rotation_rad_s),
            WorkspaceBox(values),
        ]
    )
