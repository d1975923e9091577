# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Steps in which nothing happens: the pauses that teach a policy to freeze."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

POSE_NORM = 1e-4  # OpenVLA's no-op rule for the LIBERO data
MEASURED_MOTION_M = 1e-3
MEASURED_TURN_RAD = 5e-3
GRIPPER_MOTION = 0.01


def idle_mask(actions: FloatArray, moved: FloatArray, openings: FloatArray) -> BoolArray:
    """Return [T] bool: True where neither the action nor the robot does anything.

    actions [T, D]: 7 numbers per arm. A step is idle when every arm's six pose numbers have a norm
    below 1e-4 and its gripper number equals that of the step before. moved [T, A, 2]: metres and
    radians that each arm really moved in the step; openings [T + 1, A]: measured. An arm that still
    moves towards its goal, or a gripper that still closes, is not idle: that pause is skill.
    """
    steps, arms = len(actions), actions.shape[1] // 7
    per_arm = actions.reshape(steps, arms, 7)
    still = np.linalg.norm(per_arm[:, :, :6], axis=2) < POSE_NORM
    before = np.concatenate([per_arm[:1, :, 6], per_arm[:-1, :, 6]]) if steps else per_arm[:, :, 6]
    held = np.abs(per_arm[:, :, 6] - before) < 1e-9
    settled = (moved[:, :, 0] < MEASURED_MOTION_M) & (moved[:, :, 1] < MEASURED_TURN_RAD)
    settled &= np.abs(np.diff(openings, axis=0)) < GRIPPER_MOTION
    return np.asarray((still & held & settled).all(axis=1), dtype=np.bool_)


def keep_mask(idle: BoolArray, mode: str) -> BoolArray:
    """Return which steps stay: `all` drops every idle one, `ends` only before and after motion."""
    if mode == "keep" or not len(idle):
        return np.ones_like(idle)
    if mode == "all":
        return ~idle
    busy = np.flatnonzero(~idle)
    keep = np.zeros_like(idle)
    if len(busy):
        keep[busy[0] : busy[-1] + 1] = True
    return keep
