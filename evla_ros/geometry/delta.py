# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""End-effector deltas: the six numbers per arm of an action, in `base_frame`.

dx dy dz in metres are the difference of positions; droll dpitch dyaw in radians are the fixed-axis
XYZ angles of R_end R_start^T, never a difference of Euler triples (which wraps, and blows up at
gimbal lock).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.geometry import rotation
from evla_ros.geometry.pose import Array, Pose, finite_vector


def delta_between(start: Pose, end: Pose) -> Array:
    """Return the delta [6] that `apply_delta` turns start into end with."""
    turn = rotation.multiply(end.quaternion_xyzw, rotation.conjugate(start.quaternion_xyzw))
    return np.concatenate([end.position_m - start.position_m, rotation.to_rpy(turn)])


def apply_delta(pose: Pose, delta: npt.ArrayLike) -> Pose:
    """Return p_next = p + d, R_next = R(delta) R, both in the base frame.

    Raises GeometryError when the delta [6] is not finite or not of that shape.
    """
    values = finite_vector("delta", delta, 6)
    turn = rotation.from_rpy(values[3:])
    return Pose(pose.position_m + values[:3], rotation.multiply(turn, pose.quaternion_xyzw))


def rotation_angle(delta: npt.ArrayLike) -> float:
    """Return the angle [rad] of a delta's rotation, in [0, pi]; not the norm of its angles."""
    turn = rotation.from_rpy(finite_vector("delta", delta, 6)[3:])
    return float(rotation.angle_between(Pose.identity().quaternion_xyzw, turn))
