# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train vision`: minutes of encoder pretraining on where things are."""

from __future__ import annotations

import os
import sys

from evla_ros.cli.next_command import say_next
from evla_ros.recipes.vision_config import VisionConfig

EXAMPLES = "example: evla train vision outputs/vision --dataset outputs/data/tabletop_nano"
Options = VisionConfig


def run(options: VisionConfig) -> int:
    """Train and print the path of the weights."""
    from evla_ros.recipes.work import pretrain_encoders

    path = pretrain_encoders(options)
    if os.environ.get("RANK", "0") == "0":
        data = [word for folder in options.datasets for word in ("--dataset", str(folder))]
        preset = [f"model.preset={options.preset}"] if options.preset else []
        more = ["--start", options.start] if options.start else preset
        words = [*data, *more, f"model.vision={path}"]
        say_next("evla", "train", "finetune", *words, file=sys.stderr)
    return 0
