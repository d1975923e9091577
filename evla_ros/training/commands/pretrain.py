# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train pretrain`: phase 1, conversations about pictures."""

from __future__ import annotations

import argparse

_EXAMPLES = """examples:
  evla train captions outputs/captions --scenes 500
  evla train pretrain outputs/vlm --data outputs/captions/captions.json --vision --steps 300
  evla train pretrain outputs/aligned --stage align --data llava.json --images images/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("output", help="a new checkpoint folder")
    add("--data", action="append", required=True, metavar="JSON", help="LLaVA-style; repeatable")
    add("--images", default="", metavar="DIR", help="(default: beside the JSON)")
    add("--stage", choices=("align", "finetune"), default="finetune", help="(default: finetune)")
    add("--preset", default="evla-nano", help="(default: evla-nano)")
    add("--start", default="", metavar="CHECKPOINT", help="go on from this one")
    add("--vision", action="store_true", help="train the encoders too")
    add("--proprio", type=int, default=0, metavar="P", help="proprio numbers of the policy to come")
    add("--steps", type=int, default=1000, metavar="N", help="(default: 1000)")
    add("--batch", type=int, default=16, metavar="B", help="(default: 16)")
    add("--learning-rate", type=float, default=1e-3, help="(default: 1e-3; published: 2e-5)")
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Train and print the checkpoint folder."""
    from evla_ros.training.config import OptimizerSettings
    from evla_ros.training.pretrain import PretrainConfig, pretrain

    optimizer = OptimizerSettings(
        steps=arguments.steps,
        batch=arguments.batch,
        learning_rate=arguments.learning_rate,
        warmup_steps=max(1, arguments.steps * 3 // 100),
    )
    config = PretrainConfig(
        arguments.output,
        tuple(arguments.data),
        arguments.stage,
        arguments.preset,
        arguments.start,
        arguments.images,
        arguments.vision,
        arguments.proprio,
        optimizer=optimizer,
    )
    print(pretrain(config))
    return 0
