# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a page is told of a robot once: its parts, their names and where they may go."""

from __future__ import annotations

from typing import Any

from evla_ros.embodiment import Embodiment


def describe(embodiment: Embodiment) -> dict[str, Any]:
    """Return name, cameras, arms with their workspace boxes [m], base and axes."""
    return {
        "name": embodiment.name,
        "about": embodiment.description,
        "cameras": list(embodiment.cameras),
        "arms": [
            {
                "name": arm.name,
                "gripper": arm.gripper is not None,
                "box_m": [list(arm.limits.workspace_min_m), list(arm.limits.workspace_max_m)],
            }
            for arm in embodiment.arms
        ],
        "base": embodiment.base is not None,
        "axes": [axis.name for axis in embodiment.axes],
        "rate_hz": embodiment.rate_hz,
        "goal_rate_hz": embodiment.goal_rate_hz,
    }
