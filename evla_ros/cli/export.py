# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla export SOURCE TARGET`: published weights, or a checkpoint, as a checkpoint folder."""

from __future__ import annotations

import argparse
from pathlib import Path

EPILOG = """examples:
  evla export evla/checkpoints/latest-checkpoint.pt evla-1b --tokenizer qwen.tiktoken
  evla export openvla-7b-hf openvla-7b --dtype bf16
  evla export runs/lift/step-20000 lift-bf16 --dtype bf16"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add("source", type=Path, help="a Prismatic/EVLA .pt, an OpenVLA folder, or a checkpoint folder")
    add("target", type=Path, help="folder to write; must not exist")
    add("--tokenizer", type=Path, help="tokenizer.json, or Qwen's .tiktoken ranks")
    add("--statistics", type=Path, help="dataset_statistics.json (default: beside the weights)")
    add("--architecture", type=Path, help="JSON of what shapes cannot tell (head counts, rope)")
    add("--dtype", choices=("fp32", "bf16", "fp16"), help="of the written weights")


def run(arguments: argparse.Namespace) -> int:
    """Convert and print where it is."""
    from evla_ros.model.conversion import convert
    from evla_ros.model.predictor import DTYPES
    from evla_ros.model.safe_files import read_json

    target = convert(
        arguments.source,
        arguments.target,
        tokenizer=arguments.tokenizer,
        statistics=arguments.statistics,
        dtype=DTYPES[arguments.dtype] if arguments.dtype else None,
        architecture=read_json(arguments.architecture) if arguments.architecture else None,
    )
    print(f"wrote {target}")
    return 0
