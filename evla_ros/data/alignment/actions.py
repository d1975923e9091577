# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Actions from what was commanded or achieved: per arm dx dy dz droll dpitch dyaw gripper.

Action i is the motion from tick i to tick i + 1 in `base_frame`, with the rotation taken on SO(3)
(`evla_ros.geometry.delta`), so that N ticks give N - 1 actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.geometry.delta import delta_between
from evla_ros.geometry.pose import Pose

FloatArray = npt.NDArray[np.float64]
OPEN_ABOVE = 0.5


@dataclass(frozen=True)
class ArmTrack:
    """One arm over N ticks.

    poses: measured. goals: the goal in force, None where none is fresh. openings [N]: measured
    (0 closed .. 1 open). commands [N]: commanded opening, NaN before the first command.
    """

    poses: Sequence[Pose]
    goals: Sequence[Pose | None]
    openings: FloatArray
    commands: FloatArray


def arm_actions(track: ArmTrack, source: str) -> FloatArray:
    """Return [N - 1, 7] for one arm; `source` is `commanded` or `achieved`.

    Commanded: the change of the goal over the tick; where no goal is fresh the measured pose stands
    in for it, because silence means that the robot holds where it is. The gripper number is
    absolute: the opening commanded by the end of the tick, or the measured one, rounded, before the
    first command.
    """
    path = track.poses
    if source == "commanded":
        path = [
            pose if goal is None else goal
            for pose, goal in zip(track.poses, track.goals, strict=True)
        ]
    steps = len(path) - 1
    actions = np.empty((max(steps, 0), 7))
    for index in range(steps):
        actions[index, :6] = delta_between(path[index], path[index + 1])
    actions[:, 6] = target_openings(track.openings, track.commands)[1:]
    return actions


def target_openings(openings: FloatArray, commands: FloatArray) -> FloatArray:
    """Return the opening asked for at each tick [N]: the command, else the rounded measurement."""
    rounded = np.where(openings > OPEN_ABOVE, 1.0, 0.0)
    return np.where(np.isnan(commands), rounded, np.clip(commands, 0.0, 1.0))


def neutral_action(last: FloatArray) -> FloatArray:
    """Return the action that changes nothing: zero deltas, every gripper as in `last` [D]."""
    neutral = np.zeros_like(last)
    neutral[6::7] = last[6::7]
    return neutral
