# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train finetune`: phase 2, actions from RLDS datasets."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_EXAMPLES = """examples:
  evla train finetune config/training/nano_tabletop.yaml output=outputs/run optimizer.steps=500
  evla train finetune config/training/bridge.yaml
  evla train finetune outputs/run --resume
  torchrun --nproc-per-node 2 -m evla_ros.training.train config/training/nano_tabletop.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add(
        "config", help="a YAML file (docs/training.md lists the keys); with --resume the run folder"
    )
    add("changes", nargs="*", metavar="key.sub=value", help="settings to change")
    add("--resume", action="store_true", help="go on where a stopped or killed run was")
    add("--threads", type=int, default=0, metavar="T", help="CPU threads (default: torch's choice)")
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Train, and print where the checkpoints are."""
    import torch

    from evla_ros.training.config import load_config
    from evla_ros.training.train import train

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    file = Path(arguments.config)
    if arguments.resume and file.is_dir():
        file = file / "train.json"
    folder = train(load_config(file, arguments.changes), resume=arguments.resume)
    print(f"checkpoints: {folder / 'best'}, {folder / 'last'}", file=sys.stderr)
    print(folder)
    return 0
