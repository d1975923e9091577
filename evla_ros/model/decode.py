# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a batch to normalised actions: jointly, autoregressively, or as released weights want it."""

from __future__ import annotations

import torch
from torch import Tensor

from evla_ros.model.config import DecodeMode, HeadName
from evla_ros.model.decode_autoregressive import decode_stepwise
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput


@torch.inference_mode()
def decode(
    model: EvlaModel,
    batch: ModelInput,
    mode: DecodeMode | None = None,
    output: HeadName | None = None,
) -> Tensor:
    """Normalised actions [B, K, D] float64 of B samples with one instruction each.

    `mode` and `output` default to what the checkpoint's configuration names; stepwise modes give
    tokens.
    """
    action = model.config.action
    mode = mode or action.decode
    if mode == "joint":
        return decode_joint(model, batch, output or action.output)
    rows = decode_stepwise(model, batch, "hidden" if mode == "released" else "causal")
    return model.action_tokenizer.values(rows).unflatten(-1, (action.chunk, action.dim))


@torch.inference_mode()
def decode_joint(model: EvlaModel, batch: ModelInput, output: HeadName) -> Tensor:
    """All K*D numbers of one forward, [B, K, D] float64, from the tokens or the L1 head."""
    result = model.forward_joint(batch).of_head(output)
    if output == "l1":
        return result.double()
    action = model.config.action
    values = model.action_tokenizer.values(result.argmax(-1))
    return values.unflatten(-1, (action.chunk, action.dim))
