# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a teleoperation device asks for, whatever device it is. Knows no ROS."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from evla_ros.geometry import Pose

Array = npt.NDArray[np.float64]


def _zero() -> Array:
    return np.zeros(3)


@dataclass(frozen=True, eq=False)
class TeleopCommand:
    """One reading of a device.

    dead_man: whether the operator holds it. arm: index of the arm it moves. linear, angular: [3] in
    [-1, 1] of full speed, in base_frame (ignored where there is a pose). device_pose: of a tracked
    hand, moved relative to where the clutch closed. opening: 1 opens, 0 closes, None leaves it.
    base: [3] vx vy wz in [-1, 1] of full speed. axis: index of the axis that axis_rate, in [-1, 1]
    of full speed, moves.
    """

    dead_man: bool
    arm: int = 0
    linear: Array = field(default_factory=_zero)
    angular: Array = field(default_factory=_zero)
    device_pose: Pose | None = None
    opening: float | None = None
    base: Array = field(default_factory=_zero)
    axis: int = 0
    axis_rate: float = 0.0
