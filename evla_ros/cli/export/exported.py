# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the exports to the runtimes share: their frames, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from evla_ros.errors import EvlaError
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.model.checkpoint import Parts
    from evla_ros.model.runtimes.frames import Frames


@dataclass(frozen=True)
class Calibration:
    """The frames that int8 learns its ranges from, and those that both forms are compared on."""

    calibrate: Annotated[
        Path | None,
        Option("an RLDS dataset whose frames are seen", "DATASET", unset="invented frames"),
    ] = None
    frames: Annotated[int, Option("with --calibrate: compared, at most", "N", least=1)] = 100
    calibration_frames: Annotated[
        int, Option("with --dtype int8: that it learns from, at most", "N", least=1)
    ] = 64


def export_to(
    runtime: Literal["openvino", "onnx"],
    checkpoint: Path,
    out: Path,
    dtype: Literal["fp32", "bf16", "int8"],
    calibration: Calibration,
) -> int:
    """Export a checkpoint; returns the exit code."""
    from evla_ros.model.checkpoint import read_parts
    from evla_ros.model.runtimes.export import check_exportable, export

    if dtype == "int8" and calibration.calibrate is None:
        raise EvlaError(
            "int8 is calibrated and judged on real frames: add --calibrate DATASET, such as the "
            "one it was trained on"
        )
    parts = read_parts(checkpoint)
    check_exportable(parts, out, runtime, dtype)
    frames = _frames(parts, dtype, calibration)
    manifest = export(parts, out, runtime, dtype, frames, lambda text: print(text, flush=True))
    if manifest.kept:
        print(f"in fp32 for the sake of the answers: {', '.join(manifest.kept)}")
    print(f"wrote {out}; next: evla eval sim --policy {out}, or checkpoint:={out} of the node")
    return 0


def _frames(parts: Parts, dtype: str, calibration: Calibration) -> Frames:
    from evla_ros.model.runtimes.frames import frames_of, noise_frames

    if calibration.calibrate is None:
        return noise_frames(parts)
    from evla_ros.training.evaluation.frames import dataset_frames

    learned = calibration.calibration_frames if dtype == "int8" else 0
    learn, judge = dataset_frames(parts, calibration.calibrate, learned, calibration.frames)
    return frames_of(learn, judge)
