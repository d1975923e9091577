# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A rigid pose: a position in metres and an orientation, in a frame that the caller knows."""

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
    """A position and an orientation; immutable.

    Attributes:
        position_m: [3] x y z in metres, read-only.
        quaternion_xyzw: [4] unit quaternion in the order x y z w with w >= 0, read-only.

    Raises:
        GeometryError: a wrong shape, a number that is not finite, or a quaternion of length zero.
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
        """Return the pose of a position and of fixed-axis angles.

        Args:
            xyz_m: [3] position in metres.
            rpy_rad: [3] roll, pitch and yaw in radians.

        Raises:
            GeometryError: a wrong shape, or a number that is not finite.
        """
        rpy = finite_vector("roll pitch yaw", rpy_rad, 3)
        return Pose(np.asarray(xyz_m, dtype=np.float64), rotation.from_rpy(rpy))

    def as_vector(self) -> Array:
        """Return x y z qx qy qz qw [7], the layout of an `ee_pose` in the proprio vector.

        A quaternion and its negative are the same rotation, and every choice of the sign jumps
        somewhere. The choice here, qx + qw >= 0, lets a tool that points down (qx near 1) or
        forward (qw near 1) turn without a jump.
        """
        q = self.quaternion_xyzw
        return np.concatenate([self.position_m, -q if q[0] + q[3] < 0.0 else q])

    @staticmethod
    def from_vector(vector: npt.ArrayLike) -> Pose:
        """Return the pose of the seven numbers x y z qx qy qz qw; the inverse of `as_vector`.

        Raises:
            GeometryError: a wrong shape, a number that is not finite, or a quaternion of length
                zero.
        """
        values = finite_vector("pose vector", vector, 7)
        return Pose(values[:3], values[3:])


def compose(a: Pose, b: Pose) -> Pose:
    """Return where something is in the parent frame of `a` when it has pose `b` in frame `a`."""
    position = a.position_m + rotation.rotate(a.quaternion_xyzw, b.position_m)
    return Pose(position, rotation.multiply(a.quaternion_xyzw, b.quaternion_xyzw))


def inverse(pose: Pose) -> Pose:
    """Return the pose of the parent frame as seen from the pose's own frame."""
    q = rotation.conjugate(pose.quaternion_xyzw)
    return Pose(-rotation.rotate(q, pose.position_m), q)


def interpolate(a: Pose, b: Pose, t: float) -> Pose:
    """Return the pose at a fraction of the way between two poses.

    The position moves on a straight line, the orientation on the shortest turn (slerp).

    Args:
        a: the pose at t = 0.
        b: the pose at t = 1.
        t: the fraction; values outside [0, 1] extrapolate.
    """
    position = a.position_m + t * (b.position_m - a.position_m)
    return Pose(position, rotation.slerp(a.quaternion_xyzw, b.quaternion_xyzw, t))


def distance(a: Pose, b: Pose) -> tuple[float, float]:
    """Return how far two poses are apart: (metres, radians), the angle within [0, pi]."""
    metres = float(np.linalg.norm(b.position_m - a.position_m))
    return metres, float(rotation.angle_between(a.quaternion_xyzw, b.quaternion_xyzw))


def finite_vector(what: str, values: npt.ArrayLike, size: int) -> Array:
    """Return values as a new float64 array of a given length.

    Args:
        what: the name of the values in an error message.
        values: the numbers to check.
        size: how many there must be.

    Raises:
        GeometryError: another shape, or a number that is not finite; the message names `what`.
    """
    array = np.array(values, dtype=np.float64)
    if array.shape != (size,):
        raise GeometryError(f"{what} has shape {array.shape}; it takes {size} numbers")
    if not all(map(math.isfinite, array.tolist())):
        raise GeometryError(f"{what} {array.tolist()} is not finite")
    return array
