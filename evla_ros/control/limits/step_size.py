# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The largest translation and rotation of one action, before it becomes a waypoint."""

from __future__ import annotations

import numpy as np

from evla_ros.control.limits.base import Array
from evla_ros.control.limits.motion import clip_norm, norm
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.reasons import Reason
from evla_ros.geometry import rotation


def clip_step(delta: Array, values: LimitValues) -> tuple[Array, Reason | None]:
    """Return a finite delta [6] (m, fixed-axis XYZ rad) shortened to the step limits."""
    way = clip_norm(delta[:3], values.max_step_m)
    angles = np.remainder(delta[3:] + np.pi, 2 * np.pi) - np.pi
    turn = rotation.to_rotvec(rotation.from_rpy(angles))
    short = clip_norm(turn, values.max_step_rad)
    clipped = norm(delta[:3]) > values.max_step_m * (1 + 1e-9) or short is not turn
    if short is not turn:
        angles = rotation.to_rpy(rotation.from_rotvec(short))
    return np.concatenate([way, angles]), Reason.LIMIT_STEP if clipped else None
