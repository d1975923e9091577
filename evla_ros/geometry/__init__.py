# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Poses, rotations and end-effector deltas in three dimensions; knows no robot and no time."""

from __future__ import annotations

from evla_ros.geometry.delta import apply_delta, delta_between
from evla_ros.geometry.pose import GeometryError, Pose, compose, distance, interpolate, inverse
from evla_ros.geometry.timed_pose import TimedPose, Way, pose_on_way

__all__ = [
    "GeometryError",
    "Pose",
    "TimedPose",
    "Way",
    "apply_delta",
    "compose",
    "delta_between",
    "distance",
    "interpolate",
    "inverse",
    "pose_on_way",
]
