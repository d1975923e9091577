# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train vision`: minutes of encoder pretraining on where things are."""

from __future__ import annotations

import argparse
import os

from evla_ros.training.commands.least_values import check_least
from evla_ros.training.errors import TrainingError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("output", help="a new folder for vision.safetensors")
    add(
        "--dataset", action="append", required=True, metavar="DIR", help="from `evla train collect`"
    )
    add("--preset", default="evla-nano", help="whose encoders (default: evla-nano)")
    add("--start", default="", metavar="CHECKPOINT", help="go on from the encoders of a checkpoint")
    add("--rate", type=float, default=1.5e-3, metavar="LR", help="learning rate (default: 0.0015)")
    add("--camera", default="primary", help="(default: primary)")
    add("--steps", type=int, default=600, metavar="N", help="(default: 600)")
    add("--batch", type=int, default=48, metavar="B", help="(default: 48)")
    parser.epilog = "example: evla train vision outputs/vision --dataset outputs/data/tabletop_nano"


def run(arguments: argparse.Namespace) -> int:
    """Train and print the path of the weights."""
    from evla_ros.training.config import OptimizerSettings
    from evla_ros.training.vision import VisionConfig, pretrain_vision

    check_least(arguments, {"steps": 1, "batch": 1})
    if arguments.rate <= 0:
        raise TrainingError(f"--rate {arguments.rate:g}: a learning rate is above 0")
    optimizer = OptimizerSettings(
        steps=arguments.steps, batch=arguments.batch, warmup_steps=30, learning_rate=arguments.rate
    )
    config = VisionConfig(
        arguments.output, tuple(arguments.dataset), arguments.preset, arguments.camera, 0,
        optimizer, arguments.start,
    )  # fmt: skip
    path = pretrain_vision(config)
    if os.environ.get("RANK", "0") == "0":
        print(path)
    return 0
