# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a robot's sensors say at one moment, in the units of the embodiment file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.observation import MovingState
from evla_ros.geometry.pose import Pose


@dataclass(frozen=True, eq=False)
class RobotSnapshot:
    """One moment of a robot.

    Attributes:
        poses: arm name -> measured tool pose in `base_frame`.
        openings: arm name -> measured gripper opening in [0, 1], 1 = open.
        joints: joint name -> measured position in rad (m for a sliding joint).
        images: camera name -> uint8 [H, W, 3] RGB, or the bytes of a JPEG or PNG.
        instruction: what the robot is asked to do.
        moving: what is measured of its base and its axes.
    """

    poses: Mapping[str, Pose]
    openings: Mapping[str, float]
    joints: Mapping[str, float]
    images: Mapping[str, npt.NDArray[np.uint8] | bytes]
    instruction: str
    moving: MovingState = field(default_factory=MovingState)
