# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Observations that an export is calibrated with and judged on, as one file for its stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from evla_ros.model.checkpoint import Parts
from evla_ros.model.model_input import ModelInput, stacked

NOISE_FRAMES = 4


@dataclass(frozen=True)
class Frames:
    """N observations of one batch; the first `calibration` of them teach int8 its ranges.

    Attributes:
        inputs: all of them, with prompts padded to one length.
        calibration: how many calibrate; the rest are the ones that are judged.
        real: they come from a dataset.
    """

    inputs: ModelInput
    calibration: int
    real: bool

    def __len__(self) -> int:
        return len(self.inputs.input_ids)

    def one(self, index: int) -> ModelInput:
        """Return one observation as a batch."""
        rows = slice(index, index + 1)
        images, proprio = self.inputs.images, self.inputs.proprio
        return ModelInput(
            self.inputs.input_ids[rows],
            self.inputs.text_lengths[rows],
            images=None if images is None else images[rows],
            proprio=None if proprio is None else proprio[rows],
        )

    def save(self, path: Path) -> None:
        """Write them as safetensors."""
        tensors = {name: t.contiguous() for name, t in vars(self.inputs).items() if t is not None}
        save_file(tensors, path, {"calibration": str(self.calibration), "real": str(self.real)})


def read_frames(path: Path, calibration: int, *, real: bool) -> Frames:
    """Return what `Frames.save` wrote."""
    return Frames(ModelInput(**load_file(path)), calibration, real)


def frames_of(calibration: Sequence[ModelInput], judged: Sequence[ModelInput]) -> Frames:
    """Return frames of a dataset as `Frames`."""
    return Frames(stacked([*calibration, *judged]), len(calibration), real=True)


def noise_frames(parts: Parts) -> Frames:
    """Return invented frames: noise, grey, and a ramp; enough to compare two forms of a network."""
    config, size = parts.config, parts.config.image.size
    generator = torch.Generator().manual_seed(0)
    ramp = torch.linspace(0, 255, size).to(torch.uint8).expand(3, size, size)
    grey = torch.full((3, size, size), 127, dtype=torch.uint8)
    noise = [
        torch.randint(0, 256, (3, size, size), dtype=torch.uint8, generator=generator)
        for _ in range(NOISE_FRAMES - 2)
    ]
    towers = len(config.image.fills) or 1
    cameras = len(config.image.cameras)
    pictures = [
        one.repeat(towers, 1, 1).expand(cameras, -1, -1, -1) for one in (*noise, grey, ramp)
    ]
    ids, lengths = parts.processor.prompt_builder.batch(["lift the red block"] * NOISE_FRAMES)
    proprio: Tensor | None = None
    if config.proprio_dim:
        proprio = torch.rand(NOISE_FRAMES, config.proprio_dim, generator=generator) * 2 - 1
    inputs = ModelInput(ids, lengths, images=torch.stack(pictures), proprio=proprio)
    return Frames(inputs, 0, real=False)
