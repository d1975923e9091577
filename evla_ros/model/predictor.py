# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole step from camera frames to un-normalised actions; what an in-process policy calls."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evla_ros.errors import nearest
from evla_ros.model.acceleration import CudaGraphStep, compile_blocks
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.config import DecodeMode, HeadName
from evla_ros.model.decode import check_decoding, decode
from evla_ros.model.errors import ModelConfigError
from evla_ros.model.fusion import fuse_projections
from evla_ros.model.int8 import quantize_int8
from evla_ros.model.model_input import ModelInput
from evla_ros.model.precision import fastest_precision

DTYPES = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "int8": None,  # quantised from the stored dtype
}
TEXT_BUCKET = 16  # static shapes: prompts are padded to a multiple of this


class Predictor:
    """A loaded checkpoint that turns one observation into one action chunk.

    Args:
        checkpoint: a checkpoint folder.
        device: `cpu`, `cuda`, ...
        dtype: `fp32`, `bf16`, `fp16` or `int8`; `auto` measures which of fp32 and bf16 this
            device multiplies faster; None keeps the stored one.
        decode: `joint`, `autoregressive` or `released`; None takes the checkpoint's.
        output: `tokens` or `l1` for joint decoding; None takes the checkpoint's.
        statistics_key: the dataset whose statistics un-normalise; None when there is only one.
        static_shapes: compile the blocks on a CPU, capture CUDA graphs on a GPU. The first step of
            each prompt length then takes long; call `warm_up` before the robot moves.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        device: str = "cpu",
        dtype: str | None = None,
        decode: DecodeMode | None = None,
        output: HeadName | None = None,
        statistics_key: str | None = None,
        *,
        static_shapes: bool = False,
    ) -> None:
        self.device = find_device(device)
        if dtype == "auto":
            dtype = fastest_precision(self.device)
        loaded = load_checkpoint(checkpoint, device=device, dtype=self._load_dtype(dtype))
        self.model, self.processor, self.statistics = loaded
        self.config = loaded.config
        self.embodiment_text = loaded.embodiment_text
        check_decoding(self.config.action, decode, output)
        self.decode = decode
        self.output = output
        self.key = self.statistics.key(statistics_key)
        method = self.config.action.normalization
        self.action_normalizer = self.statistics.action(self.key, method)
        has_proprio = bool(self.config.proprio_dim)
        self.proprio_normalizer = self.statistics.proprio(self.key, method) if has_proprio else None
        self.static_shapes = static_shapes
        self._graphs: dict[int, CudaGraphStep] = {}
        fuse_projections(self.model)
        if dtype == "int8":
            quantize_int8(self.model)
            if self.device.type == "cpu":
                self.model.float()
        if static_shapes and self.device.type == "cpu":
            compile_blocks(self.model)

    @property
    def chunk_length(self) -> int:
        """K, steps per chunk."""
        return self.config.action.chunk

    @property
    def action_dim(self) -> int:
        """D, numbers per step."""
        return self.config.action.dim

    def predict(
        self,
        images: Mapping[str, Any],
        proprio: NDArray[np.float32] | None,
        instruction: str,
    ) -> NDArray[np.float64]:
        """Un-normalised actions [K, D] of one observation (HxWx3 uint8 per camera).

        The observation may have more cameras than the model was trained with; those are ignored.
        """
        seen = {name: images[name] for name in self.config.image.cameras if name in images}
        batch = self.processor(
            seen, instruction, proprio, self.proprio_normalizer, self._text_length(instruction)
        )
        actions = self._run(batch.to(self.device))
        return self.action_normalizer.unnormalize(actions[0].cpu().numpy())

    def warm_up(self, instruction: str = "lift the red block") -> float:
        """Compile and page in by running grey images twice; milliseconds of the second step."""
        size = self.config.image.size
        frame = np.full((size, size, 3), 127, np.uint8)
        images = dict.fromkeys(self.config.image.cameras, frame)
        proprio = np.zeros(self.config.proprio_dim, np.float32)
        self.predict(images, proprio, instruction)
        start = time.perf_counter()
        self.predict(images, proprio, instruction)
        return 1e3 * (time.perf_counter() - start)

    def _load_dtype(self, dtype: str | None) -> torch.dtype | None:
        if dtype is None:
            return None
        if dtype not in DTYPES:
            raise ModelConfigError(f"unknown dtype {dtype!r}; {nearest(dtype, [*DTYPES, 'auto'])}")
        if dtype == "int8" and self.device.type != "cpu":
            return torch.bfloat16  # what lies between the integer products
        return DTYPES[dtype]

    def _run(self, batch: ModelInput) -> Tensor:
        if not (self.static_shapes and self.device.type == "cuda"):
            return decode(self.model, batch, self.decode, self.output)
        length = batch.input_ids.shape[1]
        if length not in self._graphs:
            self._graphs[length] = CudaGraphStep(
                lambda inputs: decode(self.model, inputs, self.decode, self.output), batch
            )
        return self._graphs[length](batch)

    def _text_length(self, instruction: str) -> int | None:
        if not self.static_shapes:
            return None
        tokens = len(self.processor.prompt_builder.encode(instruction))
        return -(-tokens // TEXT_BUCKET) * TEXT_BUCKET


def find_device(name: str) -> torch.device:
    """The torch device of a name, if this machine has it."""
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelConfigError(f"unknown device {name!r}; use 'cpu' or 'cuda'") from error
    count = torch.cuda.device_count()
    if device.type == "cuda" and not count:
        raise ModelConfigError("no CUDA device is available; use device 'cpu'")
    if device.type == "cuda" and (device.index or 0) >= count:
        raise ModelConfigError(f"device {name!r} does not exist; this machine has {count}")
    return device
