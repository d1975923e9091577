# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From where a hand should go to one bounded action: speed, slow-down, turning on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evla_ros.geometry import rotation
from evla_ros.geometry.pose import Array, Pose
from evla_ros.sim.experts.style import Style

_TURN_RAD_PER_TICK = 0.15
_CREEP_M = 0.004


@dataclass(frozen=True, eq=False)
class Intent:
    """Where one tool should be.

    Attributes:
        position_m: [3] in base_frame.
        quaternion_xyzw: [4] in base_frame.
        gripper: opening in [0, 1], 1 = open.
    """

    position_m: Array
    quaternion_xyzw: Array
    gripper: float


def act_toward(pose: Pose, intent: Intent, style: Style, dt_s: float, max_step_m: float) -> Array:
    """Return the action [7] that brings one arm nearer to an intent in one tick.

    The hand turns in the measure in which it comes nearer, as people do: turning is then due in
    most ticks of an approach, not in two of them, and an imitator sees when.
    """
    way = intent.position_m - pose.position_m
    distance = float(np.linalg.norm(way))
    creep = min(distance, _CREEP_M)
    length = min(style.speed_m_s * dt_s, max_step_m, max(style.slowdown * distance, creep))
    step = way * (length / distance) if distance > 1e-9 else np.zeros(3)
    turn = rotation.to_rotvec(
        rotation.multiply(intent.quaternion_xyzw, rotation.conjugate(pose.quaternion_xyzw))
    )
    angle = float(np.linalg.norm(turn))
    share = length / distance if distance > _CREEP_M else 1.0
    turn = turn * min(share, _TURN_RAD_PER_TICK / max(angle, 1e-9))
    return np.concatenate([step, rotation.to_rpy(rotation.from_rotvec(turn)), [intent.gripper]])


def with_yaw(quaternion_xyzw: Array, yaw_rad: float) -> Array:
    """Return the orientation turned about the base frame's z axis."""
    return np.asarray(rotation.multiply(rotation.from_rpy([0.0, 0.0, yaw_rad]), quaternion_xyzw))
