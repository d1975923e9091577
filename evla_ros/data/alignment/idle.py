# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find idle steps, in which nothing happens: pauses in the data teach a policy to freeze."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment.layout import ActionColumns, columns_of_arms

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

POSE_NORM = 1e-4  # OpenVLA's no-op rule for the LIBERO data
MEASURED_MOTION_M = 1e-3
MEASURED_TURN_RAD = 5e-3
GRIPPER_MOTION = 0.01
STANDS_PER_S = 0.01  # m/s, rad/s: slower is standing


def idle_mask(
    actions: FloatArray,
    moved: FloatArray,
    openings: FloatArray,
    columns: ActionColumns | None = None,
    others: FloatArray | None = None,
) -> BoolArray:
    """Return [T] bool, True where neither the action nor the robot does anything.

    A step is idle when, for every arm, the six pose numbers of the action have a norm below 1e-4,
    the gripper number equals that of the step before, and the measured arm and gripper stand still.
    An arm that still moves towards its goal, or a gripper that is still closing, is not idle. Nor
    is a step in which the base drives, or an axis moves or is told to.

    Args:
        actions: [T, D].
        moved: [T, A, 2] metres and radians that each arm really moved in each step.
        openings: [T + 1, A] measured gripper openings, 0 closed to 1 open.
        columns: Where the numbers of an action are; None: 7 of each arm and no others.
        others: [T, M] how fast base and axes really moved [m/s, rad/s]; None without them.
    """
    columns = columns or columns_of_arms(actions.shape[1] // 7)
    steps, arms = len(actions), len(columns.arms)
    per_arm = actions[:, : columns.arms[-1].stop].reshape(steps, arms, 7)
    still = np.linalg.norm(per_arm[:, :, :6], axis=2) < POSE_NORM
    before = np.concatenate([per_arm[:1, :, 6], per_arm[:-1, :, 6]]) if steps else per_arm[:, :, 6]
    held = np.abs(per_arm[:, :, 6] - before) < 1e-9
    settled = (moved[:, :, 0] < MEASURED_MOTION_M) & (moved[:, :, 1] < MEASURED_TURN_RAD)
    settled &= np.abs(np.diff(openings, axis=0)) < GRIPPER_MOTION
    idle = np.asarray((still & held & settled).all(axis=1), dtype=np.bool_)
    return idle & _others_stand(actions, columns, others)


def _others_stand(
    actions: FloatArray, columns: ActionColumns, others: FloatArray | None
) -> BoolArray:
    """Return [T] bool, True where the base and the axes stand and are told to."""
    stand = np.ones(len(actions), dtype=np.bool_)
    if columns.base is not None:
        stand &= np.abs(actions[:, columns.base]).max(axis=1) < STANDS_PER_S
    for column in columns.axes:
        told = np.diff(actions[:, column], prepend=actions[:1, column])
        stand &= np.abs(told) < POSE_NORM
    if others is not None and others.size:
        stand &= np.abs(others).max(axis=1) < STANDS_PER_S
    return stand


def keep_mask(idle: BoolArray, mode: str) -> BoolArray:
    """Return [T] bool, True for the steps to keep.

    Args:
        idle: [T] from `idle_mask`.
        mode: `all` drops every idle step, `ends` only those before and after the motion, `keep`
            drops none.
    """
    if mode == "keep" or not len(idle):
        return np.ones_like(idle)
    if mode == "all":
        return ~idle
    busy = np.flatnonzero(~idle)
    keep = np.zeros_like(idle)
    if len(busy):
        keep[busy[0] : busy[-1] + 1] = True
    return keep
