# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""End-effector deltas: the six numbers per arm of an action, in `base_frame`.

The first three, dx dy dz in metres, are the difference of the positions. The last three, droll
dpitch dyaw in radians, are the fixed-axis XYZ angles of the turn `R_end R_start^T`. They are not
the difference of two roll-pitch-yaw triples, which jumps by a full turn and breaks down at gimbal
lock.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.geometry import rotation
from evla_ros.geometry.pose import Array, Pose, finite_vector


def delta_between(start: Pose, end: Pose) -> Array:
    """Return the delta that `apply_delta` needs to turn one pose into another.

    Args:
        start: the pose before the motion.
        end: the pose after it, in the same frame.

    Returns:
        [6] dx dy dz in metres and droll dpitch dyaw in radians.
    """
    turn = rotation.multiply(end.quaternion_xyzw, rotation.conjugate(start.quaternion_xyzw))
    return np.concatenate([end.position_m - start.position_m, rotation.to_rpy(turn)])


def apply_delta(pose: Pose, delta: npt.ArrayLike) -> Pose:
    """Return the pose after a delta: positions add up, and the turn is applied in the base frame.

    As a formula, `p_next = p + d` and `R_next = R(delta) R`.

    Args:
        pose: the pose before the motion.
        delta: [6] dx dy dz in metres and droll dpitch dyaw in radians.

    Raises:
        GeometryError: the delta is not six finite numbers.
    """
    values = finite_vector("delta", delta, 6)
    turn = rotation.from_rpy(values[3:])
    return Pose(pose.position_m + values[:3], rotation.multiply(turn, pose.quaternion_xyzw))
