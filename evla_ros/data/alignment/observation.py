# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build the proprioception vector in the embodiment's layout, live and for datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import Pose


@dataclass(frozen=True, eq=False)
class BaseState:
    """What the odometry says: pose in its frame, velocity [3] vx vy [m/s] wz [rad/s]."""

    pose: Pose
    velocity: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MovingState:
    """What is measured of the base and, by name, of the axes [m or rad]."""

    base: BaseState | None = None
    axes: Mapping[str, float] = field(default_factory=dict)


class ObservationError(EvlaError):
    """A part of the observation is missing or does not fit the embodiment."""


def proprio_vector(
    embodiment: Embodiment,
    poses: Mapping[str, Pose],
    openings: Mapping[str, float],
    joints: Mapping[str, float] | None = None,
    moving: MovingState | None = None,
) -> npt.NDArray[np.float32]:
    """Return the proprioception vector in the order of `proprio_layout`.

    Args:
        embodiment: The robot, which says what the vector holds.
        poses: Measured tool pose in the base frame, by arm name.
        openings: Gripper opening (0 closed to 1 open), by arm name; an arm without a gripper counts
            as open.
        joints: Joint position [rad or m], by joint name.
        moving: Of the base and the axes; None for a robot without.

    Returns:
        [P] float32.

    Raises:
        ObservationError: A part is missing (it is named) or is not finite.
    """
    parts: list[npt.ArrayLike] = []
    for entry in embodiment.proprio:
        if entry in ("base_velocity", "base_pose", "axes"):
            parts.append(_moving_part(entry, embodiment, moving or MovingState()))
            continue
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


def _moving_part(entry: str, embodiment: Embodiment, moving: MovingState) -> npt.ArrayLike:
    if entry == "axes":
        return [_get(moving.axes, axis.name, "position of axis") for axis in embodiment.axes]
    if moving.base is None:
        raise ObservationError("no odometry of the base yet")
    return moving.base.velocity if entry == "base_velocity" else planar(moving.base.pose)


def planar(pose: Pose) -> npt.NDArray[np.float64]:
    """Return x y [m] and yaw [rad] of a base from its pose."""
    x, y, z, w = pose.quaternion_xyzw
    yaw = np.arctan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
    return np.array([pose.position_m[0], pose.position_m[1], yaw])


def _get(values: Mapping[str, Pose | float], name: str, what: str) -> Any:
    if name not in values:
        raise ObservationError(f"no {what} {name!r} yet")
    return values[name]
