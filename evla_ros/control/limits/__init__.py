# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Limits on pose goals: each answers only "what holds here"; composition is a list."""

from __future__ import annotations

from evla_ros.control.limits.acceleration import AccelerationLimit
from evla_ros.control.limits.base import Limit, LimitState
from evla_ros.control.limits.chain import LimitChain, goal_limits
from evla_ros.control.limits.speed import SpeedLimit
from evla_ros.control.limits.step_size import clip_step
from evla_ros.control.limits.tracking_error import TrackingErrorLimit
from evla_ros.control.limits.values import LimitValues
from evla_ros.control.limits.workspace import WorkspaceBox

__all__ = [
    "AccelerationLimit",
    "Limit",
    "LimitChain",
    "LimitState",
    "LimitValues",
    "SpeedLimit",
    "TrackingErrorLimit",
    "WorkspaceBox",
    "clip_step",
    "goal_limits",
]
