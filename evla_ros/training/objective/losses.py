# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Losses and the paper's metrics over real actions only, never past an episode's end."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import JointOutput
from evla_ros.training.samples.batch import Batch


@dataclass(frozen=True)
class Sums:
    """Sums over the real actions of a batch, so that batches and ranks can be added.

    `loss` differentiable; `count` real numbers; `right` action tokens predicted exactly; `error`
    [D] absolute
    errors in metres and radians (of the L1 head where there is one, else of the tokens); `rows`
    real steps.
    """

    loss: Tensor
    count: Tensor
    right: Tensor
    error: Tensor
    rows: Tensor


def action_sums(
    model: EvlaModel, output: JointOutput, batch: Batch, weight_l1: float, weight_tokens: float
) -> Sums:
    """Losses of one joint forward: L1 of the continuous head, cross-entropy of the tokens."""
    mask = batch.valid[..., None].expand_as(batch.actions)  # [B, R, K, D]
    loss = batch.actions.new_zeros(())
    right = error_values = None
    if output.logits is not None:
        rows = model.action_tokenizer.rows(batch.actions)
        logits = output.logits.float().unflatten(2, batch.actions.shape[2:])  # [B, R, K, D, bins]
        entropy = functional.cross_entropy(logits[mask], rows[mask], reduction="sum")
        loss = loss + weight_tokens * entropy
        chosen = logits.detach().argmax(-1)
        right = ((chosen == rows) & mask).sum()
        error_values = model.action_tokenizer.values(chosen).float()
    if output.actions is not None:
        actions = output.actions.float()
        loss = loss + weight_l1 * (actions - batch.actions).abs()[mask].sum()
        error_values = actions.detach()
    return _sums(batch, mask, loss, right, error_values)


def taught(model: EvlaModel, batch: Batch) -> JointOutput:
    """One teacher-forced forward: the true tokens are fed, all that losses read comes back."""
    rows = model.action_tokenizer.rows(batch.actions)
    return model.forward_taught(batch.inputs, rows.flatten(2) + model.action_tokenizer.first_id)


def token_sums(model: EvlaModel, batch: Batch, output: JointOutput) -> Sums:
    """Losses of the autoregressive mode: cross-entropy alone; `output` is from `taught`."""
    rows = model.action_tokenizer.rows(batch.actions)
    logits = output.logits.float().unflatten(2, rows.shape[2:])  # [B, R, K, D, bins]
    mask = batch.valid[..., None].expand_as(rows)
    loss = functional.cross_entropy(logits[mask], rows[mask], reduction="sum")
    chosen = logits.detach().argmax(-1)
    values = model.action_tokenizer.values(chosen).float()
    return _sums(batch, mask, loss, ((chosen == rows) & mask).sum(), values)


def _sums(
    batch: Batch, mask: Tensor, loss: Tensor, right: Tensor | None, values: Tensor | None
) -> Sums:
    count = mask.sum()
    error = torch.zeros(batch.actions.shape[-1], device=batch.actions.device)
    if values is not None:
        away = (values - batch.actions).abs() * batch.scale[:, None, None] * mask
        error = away.sum(dim=(0, 1, 2))
    hits = right if right is not None else torch.zeros_like(count)
    return Sums(loss, count, hits, error, batch.valid.sum())
