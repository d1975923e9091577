# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla export onnx CHECKPOINT OUT`: a checkpoint folder that ONNX Runtime runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.cli.export.exported import Calibration, export_to
from evla_ros.options import Option

EXAMPLES = """examples:
  evla export onnx checkpoints/tabletop_arm outputs/tabletop_onnx
  evla export onnx outputs/lift/best lift_onnx --dtype int8 --calibrate outputs/data/lift

The new folder is a checkpoint: the policy node, evla eval, demo and serve take it by its name.
What it answers is compared with torch before it is written (fp32: within 1e-4; others: 99 % of the
action tokens within one bin). See docs/runtimes.md."""


@dataclass(frozen=True)
class Options:
    """From what to what, and in which number format."""

    checkpoint: Annotated[Path, Option("a checkpoint folder", positional=True)]
    out: Annotated[Path, Option("folder to write; must not exist", positional=True)]
    dtype: Annotated[Literal["fp32", "int8"], Option("what it computes in")] = "fp32"
    calibration: Calibration = field(default_factory=Calibration)


def run(options: Options) -> int:
    """Export, and say how near the answers are."""
    asked = (options.checkpoint, options.out, options.dtype, options.calibration)
    return export_to("onnx", *asked)
