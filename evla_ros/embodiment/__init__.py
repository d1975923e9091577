# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one file that describes a robot: schema, strict loading, and the layout it implies."""

from __future__ import annotations

import evla_ros.requirements  # noqa: F401 - before anything asks pydantic for what it may lack
from evla_ros.embodiment.compare import differences
from evla_ros.embodiment.layout import (
    ActionColumns,
    Feature,
    FeatureLayout,
    action_columns,
    action_layout,
    proprio_columns_of_arms,
    proprio_layout,
)
from evla_ros.embodiment.loader import (
    EmbodimentError,
    load_embodiment,
    parse_embodiment,
)
from evla_ros.embodiment.moving_parts import Axis, Base
from evla_ros.embodiment.schema import Arm, Camera, Embodiment, Gripper, Limits

__all__ = [
    "ActionColumns",
    "Arm",
    "Axis",
    "Base",
    "Camera",
    "Embodiment",
    "EmbodimentError",
    "Feature",
    "FeatureLayout",
    "Gripper",
    "Limits",
    "action_columns",
    "action_layout",
    "differences",
    "load_embodiment",
    "parse_embodiment",
    "proprio_columns_of_arms",
    "proprio_layout",
]
