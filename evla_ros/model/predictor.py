# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole step from camera frames to un-normalised actions; what an in-process policy calls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evla_ros.errors import nearest
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.config import DecodeMode, HeadName
from evla_ros.model.decode import decode
from evla_ros.model.errors import ModelConfigError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Predictor:
    """A loaded checkpoint that turns one observation into one action chunk.

    Args:
        checkpoint: a checkpoint folder.
        device: `cpu`, `cuda`, ...
        dtype: `fp32`, `bf16` or `fp16`; None keeps the stored one.
        decode: `joint`, `autoregressive` or `released`; None takes the checkpoint's.
        output: `tokens` or `l1` for joint decoding; None takes the checkpoint's.
        statistics_key: the dataset whose statistics un-normalise; may be None when there is only
            one.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        device: str = "cpu",
        dtype: str | None = None,
        decode: DecodeMode | None = None,
        output: HeadName | None = None,
        statistics_key: str | None = None,
    ) -> None:
        if dtype is not None and dtype not in DTYPES:
            raise ModelConfigError(f"unknown dtype {dtype!r}; {nearest(dtype, DTYPES)}")
        loaded = load_checkpoint(checkpoint, device=device, dtype=DTYPES.get(dtype or ""))
        self.model, self.processor, self.statistics = loaded
        self.config = loaded.config
        self.embodiment_text = loaded.embodiment_text
        self.device = torch.device(device)
        self.decode = decode
        self.output = output
        self.key = self.statistics.key(statistics_key)
        method = self.config.action.normalization
        self.action_normalizer = self.statistics.action(self.key, method)
        has_proprio = bool(self.config.proprio_dim)
        self.proprio_normalizer = self.statistics.proprio(self.key, method) if has_proprio else None

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
        """Un-normalised actions [K, D] of one observation (HxWx3 uint8 per camera)."""
        batch = self.processor(
            images, instruction, proprio, self.proprio_normalizer, self.config.prompt.max_tokens
        )
        actions = decode(self.model, batch.to(self.device), self.decode, self.output)
        return self.action_normalizer.unnormalize(actions[0].cpu().numpy())
