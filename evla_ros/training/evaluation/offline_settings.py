# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `evla eval offline` is asked: a checkpoint, and the frames of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.options import Option


@dataclass(frozen=True)
class OfflineEvaluation:
    """A checkpoint on frames of a split, spread over all of its episodes."""

    policy: Annotated[Path, Option("a checkpoint folder", "CHECKPOINT")]
    dataset: Annotated[Path, Option("an RLDS dataset", "DIR")]
    split: Annotated[str, Option("of the dataset")] = "val"
    frames: Annotated[int, Option("at most so many", "N", least=1)] = 200
    transform: Annotated[str, Option("standardisation; auto: by the dataset's name")] = "auto"
    output: Annotated[Literal["tokens", "l1"] | None, Option("head", unset="the checkpoint's")] = (
        None
    )
    out: Annotated[
        Path | None,
        Option(
            "a new folder for report.json and predicted_vs_true.png",
            "DIR",
            unset="nothing is written",
        ),
    ] = None
    live: Annotated[
        int,
        Option(
            "also show N frames (without N: 12) to the live policy node; they have to give the "
            "same tokens",
            "N",
            least=1,
            bare=12,
            unset="none",
        ),
    ] = 0
    device: Annotated[str, Option("of the network: cpu, cuda, ...")] = "cpu"
    runtime: Annotated[
        Literal["auto", "torch", "openvino", "onnx"] | None,
        Option("what computes it", unset="as exported, else torch"),
    ] = None
