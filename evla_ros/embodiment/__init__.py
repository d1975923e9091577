# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one file that describes a robot: schema, strict loading, and the layout it implies."""

from __future__ import annotations

from evla_ros.embodiment.compare import differences
from evla_ros.embodiment.layout import (
    Feature,
    FeatureLayout,
    action_layout,
    proprio_columns_of_arms,
    proprio_layout,
)
from evla_ros.embodiment.loader import (
    EmbodimentError,
    embodiment_folder,
    load_embodiment,
    parse_embodiment,
)
from evla_ros.embodiment.schema import Arm, Camera, Embodiment, Gripper, Limits

__all__ = [
    "Arm",
    "Camera",
    "Embodiment",
    "EmbodimentError",
    "Feature",
    "FeatureLayout",
    "Gripper",
    "Limits",
    "action_layout",
    "differences",
    "embodiment_folder",
    "load_embodiment",
    "parse_embodiment",
    "proprio_columns_of_arms",
    "proprio_layout",
]
