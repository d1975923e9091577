# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train vision`: minutes of encoder pretraining on where things are."""

from __future__ import annotations

from evla_ros.recipes.vision_config import VisionConfig

EXAMPLES = "example: evla train vision outputs/vision --dataset outputs/data/tabletop_nano"
Options = VisionConfig


def run(options: VisionConfig) -> int:
    """Train and print the path of the weights."""
    from evla_ros.recipes.work import pretrain_encoders

    pretrain_encoders(options)
    return 0
