# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The position of a single joint as a pose: its x, in the joint's own unit."""

from __future__ import annotations

import numpy as np

from evla_ros.geometry import Pose

_STILL = np.array([0.0, 0.0, 0.0, 1.0])


def axis_pose(position: float) -> Pose:
    """Return the pose that stands for a position [m or rad]."""
    return Pose(np.array([position, 0.0, 0.0]), _STILL)


def axis_position(pose: Pose) -> float:
    """Return the position that a pose stands for."""
    return float(pose.position_m[0])
