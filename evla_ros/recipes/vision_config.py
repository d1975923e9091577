# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of the encoders' pretraining."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.training.run_settings import OptimizerSettings


@dataclass(frozen=True)
class VisionConfig:
    """Which encoders learn, from which datasets, and for how long."""

    output: Annotated[Path, Option("a new folder for vision.safetensors", positional=True)]
    datasets: Annotated[
        tuple[Path, ...], Option("from `evla train collect`", "DIR", flag="dataset")
    ]
    preset: Annotated[str, Option("whose encoders", unset="evla-nano")] = ""
    start: Annotated[
        str,
        Option(
            "go on from the encoders of a checkpoint",
            "CHECKPOINT",
            unset="those of the preset, afresh",
        ),
    ] = ""
    learning_rate: Annotated[float, Option("learning rate", "LR", flag="rate", above=0)] = 1.5e-3
    cameras: Annotated[
        tuple[str, ...], Option("in whose pictures the things are", "CAMERA", flag="camera")
    ] = ("primary",)
    steps: Annotated[int, Option("of the optimiser", "N", least=1)] = 600
    batch: Annotated[int, Option("samples a step", "B", least=1)] = 48
    warmup_steps: int = 30
    seed: int = 0

    @property
    def optimizer(self) -> OptimizerSettings:
        """The settings of the optimiser."""
        from evla_ros.training.run_settings import OptimizerSettings

        return OptimizerSettings(
            steps=self.steps,
            batch=self.batch,
            learning_rate=self.learning_rate,
            warmup_steps=self.warmup_steps,
        )
