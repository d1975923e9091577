# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Observations in the embodiment's layout: what the model sees, live and in every dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.image_message import rgb_from_cdr
from evla_ros.data.image_resize import resize_rgb
from evla_ros.data.messages import JointState
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import Pose


class ObservationError(EvlaError):
    """A part of the observation is missing or does not fit the embodiment."""


def camera_image(
    data: bytes | memoryview, transport: str, size: int | tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """Return uint8 [height, width, 3] RGB at model size from a raw camera message.

    `transport` is the embodiment file's (`raw`, `compressed`) or the message type.
    """
    return resize_rgb(rgb_from_cdr(data, transport), size)


def proprio_vector(
    embodiment: Embodiment,
    poses: Mapping[str, Pose],
    openings: Mapping[str, float],
    joints: Mapping[str, float] | None = None,
) -> npt.NDArray[np.float32]:
    """Return the proprio vector [P] float32 in the order of `proprio_layout`.

    `poses` and `openings` (0 closed .. 1 open) by arm name; `joints` by joint name. An arm
    without a gripper counts as open. Raises ObservationError naming what is missing.
    """
    parts: list[npt.ArrayLike] = []
    for entry in embodiment.proprio:
        for arm in embodiment.arms:
            if entry == "ee_pose":
                parts.append(_get(poses, arm.name, "pose of arm").as_vector())
            elif entry == "gripper":
                has = arm.gripper is not None
                parts.append([_get(openings, arm.name, "gripper of arm") if has else 1.0])
            else:
                parts.append([_get(joints or {}, name, "joint") for name in arm.joints])
    if not parts:
        return np.zeros(0, dtype=np.float32)
    vector = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])
    if not np.all(np.isfinite(vector)):
        raise ObservationError(f"proprioception is not finite: {vector.tolist()}")
    return vector.astype(np.float32)


def joint_positions(state: JointState) -> dict[str, float]:
    """Return position by joint name; joints without a position are left out."""
    return dict(zip(state.names, (float(p) for p in state.position), strict=False))


def _get(values: Mapping[str, Pose | float], name: str, what: str) -> Any:
    if name not in values:
        raise ObservationError(f"no {what} {name!r} yet")
    return values[name]
