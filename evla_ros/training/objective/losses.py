# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The losses and metrics of a batch; actions past the end of an episode are left out."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from evla_ros.model.attention_mask import SlotRule
from evla_ros.model.errors import ModelConfigError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import JointOutput
from evla_ros.training.samples.batch import Batch


@dataclass(frozen=True)
class Sums:
    """Sums over the real actions of a batch, which can be added over batches and ranks.

    Attributes:
        loss: The loss, differentiable.
        count: How many action numbers there are.
        right: How many action numbers fall into the right bin of the action tokens, as predicted
            by the head that answers on the robot.
        error: [D] absolute errors of that head, in metres, radians and gripper openings.
        rows: How many action steps there are.
    """

    loss: Tensor
    count: Tensor
    right: Tensor
    error: Tensor
    rows: Tensor


def action_sums(
    model: EvlaModel, output: JointOutput, batch: Batch, weight_l1: float, weight_tokens: float
) -> Sums:
    """Return the losses of a forward that predicts all actions at once.

    Args:
        model: The network, for its action tokenizer.
        output: What the network returned for the batch.
        batch: B samples with the true actions [B, R, K, D].
        weight_l1: Weight of the continuous head's L1 loss.
        weight_tokens: Weight of the action tokens' cross-entropy.
    """
    mask = batch.valid[..., None].expand_as(batch.actions)  # [B, R, K, D]
    loss = batch.actions.new_zeros(())
    answers: dict[str, Tensor] = {}
    if output.logits is not None:
        rows = model.action_tokenizer.rows(batch.actions)
        logits = output.logits.float().unflatten(2, batch.actions.shape[2:])  # [B, R, K, D, bins]
        loss = loss + weight_tokens * _entropy(logits, rows, mask)
        answers["tokens"] = model.action_tokenizer.values(logits.detach().argmax(-1)).float()
    if output.actions is not None:
        actions = output.actions.float()
        loss = loss + weight_l1 * (actions - batch.actions).abs().where(mask, 0.0).sum()
        answers["l1"] = actions.detach()
    return _sums(model, batch, mask, loss, answers[model.config.action.output])


def taught(model: EvlaModel, batch: Batch) -> JointOutput:
    """Run one teacher-forced forward: the true action tokens are the input.

    What a token sees is what it sees when the network answers: the tokens before it, or with
    `decode: released` the prompt alone.
    """
    rows = model.action_tokenizer.rows(batch.actions)
    rule: SlotRule = "hidden" if model.config.action.decode == "released" else "causal"
    ids = rows.flatten(2) + model.action_tokenizer.first_id
    return model.forward_taught(batch.inputs, ids, rule)


def token_sums(model: EvlaModel, batch: Batch, output: JointOutput) -> Sums:
    """Return the losses of the autoregressive mode, which are cross-entropy alone.

    Args:
        model: The network, for its action tokenizer.
        batch: B samples with the true actions [B, R, K, D].
        output: The result of `taught`.

    Raises:
        ModelConfigError: The network has no token head.
    """
    if output.logits is None:
        raise ModelConfigError("this network has no token head to learn token by token")
    rows = model.action_tokenizer.rows(batch.actions)
    logits = output.logits.float().unflatten(2, rows.shape[2:])  # [B, R, K, D, bins]
    mask = batch.valid[..., None].expand_as(rows)
    loss = _entropy(logits, rows, mask)
    values = model.action_tokenizer.values(logits.detach().argmax(-1)).float()
    return _sums(model, batch, mask, loss, values)


def _entropy(logits: Tensor, rows: Tensor, mask: Tensor) -> Tensor:
    """Return the cross-entropy of the real action numbers, summed.

    The others are computed and left out: to pick by a mask, a GPU has to wait for the host.
    """
    losses = functional.cross_entropy(logits.flatten(0, -2), rows.flatten(), reduction="none")
    return losses.where(mask.flatten(), 0.0).sum()


def _sums(model: EvlaModel, batch: Batch, mask: Tensor, loss: Tensor, values: Tensor) -> Sums:
    """Return the sums of a batch whose actions are predicted as `values` [B, R, K, D]."""
    scale = batch.scale[:, None, None]
    away = (values - batch.actions).abs() * scale * mask
    tokens = model.action_tokenizer
    right = tokens.bins_of(values) == tokens.bins_of(batch.actions)
    right |= scale == 0  # a constant number is served as that, whatever the network says
    error = away.sum(dim=(0, 1, 2))
    return Sums(loss, mask.sum(), (right & mask).sum(), error, batch.valid.sum())
