# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a batch to normalised actions: jointly, one token after the other, or as released."""

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
    """Check that a model can decode in a given way.

    Args:
        action: the action part of the model's configuration.
        mode: how to decode; None takes the model's own way.
        output: the head of joint decoding; None takes the model's own.

    Raises:
        ModelConfigError: the mode or head is unknown, or the model lacks the head.
    """
    if mode is not None and mode not in get_args(DecodeMode):
        raise ModelConfigError(
            f"unknown decode mode {mode!r}; {nearest(mode, get_args(DecodeMode))}"
        )
    if output is not None and output not in get_args(HeadName):
        raise ModelConfigError(f"unknown output {output!r}; {nearest(output, get_args(HeadName))}")
    stepwise = (mode or action.decode) != "joint"
    if stepwise and action.mask == "full":
        raise ModelConfigError(
            f"this model cannot decode {mode or action.decode!r}: its prompt sees the actions "
            "(mask full); decode 'joint'"
        )
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
    """Return the normalised actions of a batch with one instruction per sample.

    Args:
        model: the network, in evaluation mode.
        batch: B samples.
        mode: `joint`, `autoregressive` or `released`; None takes what the configuration names.
        output: the head of joint decoding, `tokens` or `l1`; None takes what the configuration
            names. The other modes always give tokens.

    Returns:
        [B, K, D] float64: K actions of D numbers.

    Raises:
        ModelConfigError: the model cannot decode like that.
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
    """Return all numbers of a chunk from one forward, [B, K, D] float64.

    Args:
        model: the network, in evaluation mode.
        batch: B samples with one instruction each.
        output: `tokens` takes the likeliest bin of each number, `l1` the continuous head.
    """
    result = model.forward_joint(batch).of_head(output)
    if output == "l1":
        return result.double()
    action = model.config.action
    values = model.action_tokenizer.values(result.argmax(-1))
    return values.unflatten(-1, (action.chunk, action.dim))


@torch.inference_mode()
def answer_is_finite(model: EvlaModel, batch: ModelInput, mode: DecodeMode | None = None) -> bool:
    """Return whether every number that the heads give for a batch is finite.

    Args:
        model: the network, in evaluation mode.
        batch: B samples with one instruction each.
        mode: how it is decoded; None takes what the configuration names.
    """
    action = model.config.action
    if (mode or action.decode) == "joint":
        result = model.forward_joint(batch)
        outputs = [part for part in (result.logits, result.actions) if part is not None]
    else:
        first = model.action_tokenizer.first_id
        ids = torch.full((len(batch.input_ids), action.slots), first, device=batch.input_ids.device)
        outputs = [model.forward_tokens(batch, ids)]
    return all(bool(torch.isfinite(part).all()) for part in outputs)
