# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network in torch, as stored or in another number format, ready to answer batches."""

from __future__ import annotations

import torch
from torch import Tensor

from evla_ros.model.acceleration import CudaGraphStep, compile_blocks
from evla_ros.model.config import DecodeMode, HeadName
from evla_ros.model.decode import answer_is_finite, decode
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.fusion import fuse_projections
from evla_ros.model.int8 import quantize_int8
from evla_ros.model.model_input import ModelInput


class TorchNetwork:
    """Answers batches with torch, on any of its devices."""

    def __init__(
        self,
        model: EvlaModel,
        mode: DecodeMode | None = None,
        output: HeadName | None = None,
        *,
        int8: bool = False,
        static_shapes: bool = False,
    ) -> None:
        """Prepare a model for inference, in place.

        Args:
            model: in evaluation mode.
            mode: how to decode; None takes the model's own way.
            output: the head of joint decoding; None takes the model's own.
            int8: quantise the linear layers.
            static_shapes: compile the blocks on a CPU, capture CUDA graphs on a GPU.
        """
        self.model, self.mode, self.output = model, mode, output
        self.pads_prompts = static_shapes
        device = model.slot_embedding.device
        self._captures = static_shapes and device.type == "cuda"
        self._graphs: dict[tuple[int, ...], CudaGraphStep] = {}  # by batch and prompt length
        kind = str(model.dtype).removeprefix("torch.")
        self.name = f"torch {'int8' if int8 else kind} {device}"
        fuse_projections(model)
        if int8:
            quantize_int8(model)
            if device.type == "cpu":
                model.float()
        if static_shapes and device.type == "cpu":
            compile_blocks(model)

    def decode(self, batch: ModelInput) -> Tensor:
        """Return the normalised actions [B, K, D] float64 of a batch."""
        if not self._captures:
            return decode(self.model, batch, self.mode, self.output)
        shape = tuple(batch.input_ids.shape)
        if shape not in self._graphs:
            pool = next(iter(self._graphs.values())).pool if self._graphs else None
            self._graphs[shape] = CudaGraphStep(
                lambda inputs: decode(self.model, inputs, self.mode, self.output), batch, pool
            )
        return self._graphs[shape](batch)

    @torch.inference_mode()
    def is_finite(self, batch: ModelInput) -> bool:
        """Return whether every number that the heads give for a batch is finite."""
        return answer_is_finite(self.model, batch, self.mode)
