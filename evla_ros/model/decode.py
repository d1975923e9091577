# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a batch to normalised actions: jointly, autoregressively, or as released weights want it."""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor

from evla_ros.errors import nearest
from evla_ros.model.config import ActionConfig, DecodeMode, HeadName
from evla_ros.model.decode_autoregressive import decode_stepwise
from evla_ros.model.errors import ModelConfigError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput


def check_decoding(action: ActionConfig, mode: str | None, output: str | None) -> None:
    """Raise `ModelConfigError` for a mode or head (None: the model's own) the model lacks."""
    if mode is not None and mode not in get_args(DecodeMode):
        raise ModelConfigError(
            f"unknown decode mode {mode!r}; {nearest(mode, get_args(DecodeMode))}"
        )
    if output is not None and output not in get_args(HeadName):
        raise ModelConfigError(f"unknown output {output!r}; {nearest(output, get_args(HeadName))}")
    stepwise = (mode or action.decode) != "joint"
    needed = "tokens" if stepwise else output or action.output
    if needed not in action.heads:
        raise ModelConfigError(
            f"this model has no {needed!r} head; its heads are {list(action.heads)}"
        )


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
    check_decoding(action, mode, output)
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
