# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rigid pose in one named-by-the-caller frame: position in metres and orientation, on SE(3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError
from evla_ros.geometry import rotation

Array = npt.NDArray[np.float64]
_SHORTEST_QUATERNION = 1e-6


class GeometryError(EvlaError):
    """A pose or delta that is not finite, not of the right shape or not a rotation."""


@dataclass(frozen=True, eq=False)
class Pose:
    """Position [3] in metres and unit quaternion [4] (x y z w, w >= 0); both read-only.

    Raises GeometryError for a wrong shape, a non-finite number or a quaternion without length.
    """

    position_m: Array
    quaternion_xyzw: Array

    def __post_init__(self) -> None:
        """Check, copy, normalise and freeze the arrays."""
        position = finite_vector("position", self.position_m, 3)
        quaternion = finite_vector("quaternion", self.quaternion_xyzw, 4)
        if max(map(abs, quaternion.tolist())) < _SHORTEST_QUATERNION:
            raise GeometryError(
                f"quaternion {quaternion.tolist()} has no direction; a rotation has length 1"
            )
        quaternion = rotation.normalize(quaternion)
        position.flags.writeable = False
        quaternion.flags.writeable = False
        object.__setattr__(self, "position_m", position)
        object.__setattr__(self, "quaternion_xyzw", quaternion)

    @staticmethod
    def identity() -> Pose:
        """Return the pose of a frame in itself."""
        return Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))

    @staticmethod
    def from_xyz_rpy(xyz_m: npt.ArrayLike, rpy_rad: npt.ArrayLike) -> Pose:
        """Return the pose of a position [3] and fixed-axis roll, pitch, yaw [3]."""
        rpy = finite_vector("roll pitch yaw", rpy_rad, 3)
        return Pose(np.asarray(xyz_m, dtype=np.float64), rotation.from_rpy(rpy))

    def as_vector(self) -> Array:
        """Return x y z qx qy qz qw [7], the layout of an `ee_pose` in proprio.

        q and -q are one rotation, and every choice of sign jumps somewhere. Here qx + qw >= 0: a
        tool that points down (q near x) or forward (q near w) turns without a jump.
        """
        q = self.quaternion_xyzw
        return np.concatenate([self.position_m, -q if q[0] + q[3] < 0.0 else q])

    @staticmethod
    def from_vector(vector: npt.ArrayLike) -> Pose:
        """Return the pose of x y z qx qy qz qw [7]."""
        values = finite_vector("pose vector", vector, 7)
        return Pose(values[:3], values[3:])


def compose(a: Pose, b: Pose) -> Pose:
    """Return the pose in a's parent frame of what has pose b in frame a."""
    position = a.position_m + rotation.rotate(a.quaternion_xyzw, b.position_m)
    return Pose(position, rotation.multiply(a.quaternion_xyzw, b.quaternion_xyzw))


def inverse(pose: Pose) -> Pose:
    """Return the pose of the parent frame in the pose's own frame."""
    q = rotation.conjugate(pose.quaternion_xyzw)
    return Pose(-rotation.rotate(q, pose.position_m), q)


def interpolate(a: Pose, b: Pose, t: float) -> Pose:
    """Return the pose at fraction t from a to b: a straight line, and slerp."""
    position = a.position_m + t * (b.position_m - a.position_m)
    return Pose(position, rotation.slerp(a.quaternion_xyzw, b.quaternion_xyzw, t))


def distance(a: Pose, b: Pose) -> tuple[float, float]:
    """Return (metres, radians) between two poses, the angle in [0, pi]."""
    metres = float(np.linalg.norm(b.position_m - a.position_m))
    return metres, float(rotation.angle_between(a.quaternion_xyzw, b.quaternion_xyzw))


def finite_vector(what: str, values: npt.ArrayLike, size: int) -> Array:
    """Return values as a new float64 array [size]; raises GeometryError naming `what`."""
    array = np.array(values, dtype=np.float64)
    if array.shape != (size,):
        raise GeometryError(f"{what} has shape {array.shape}; it takes {size} numbers")
    if not all(map(math.isfinite, array.tolist())):
        raise GeometryError(f"{what} {array.tolist()} is not finite")
    return array
