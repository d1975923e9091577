# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics on held-out episodes, per dataset: loss, token accuracy, L1 in metres and radians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from evla_ros.model.evla_model import EvlaModel
from evla_ros.training.config import TrainConfig
from evla_ros.training.distributed import World
from evla_ros.training.objective.losses import action_sums, taught, token_sums
from evla_ros.training.samples.batch import Batch
from evla_ros.training.samples.loader import SampleStream


def evaluate(
    model: EvlaModel, stream: SampleStream, config: TrainConfig, names: Sequence[str], world: World
) -> dict[str, dict[str, Any]]:
    """Return dataset name -> metrics over `eval_batches` batches, shared out over the ranks."""
    size = config.optimizer.batch
    part = size // world.ranks
    dim = model.config.action.dim
    sums = torch.zeros(len(stream.sources), 5 + dim, device=world.device)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for number in range(config.eval_batches):
            first = number * size + world.rank * part
            batch = stream.batch(range(first, first + part)).to(world.device)
            sums += _score(model, batch, config, len(stream.sources))
    model.train(was_training)
    sums = world.total(sums)
    return {
        source.name: _entry(row, names)
        for source, row in zip(stream.sources, sums.tolist(), strict=True)
        if row[1]
    }


def _score(model: EvlaModel, batch: Batch, config: TrainConfig, datasets: int) -> torch.Tensor:
    """Sums [datasets, 5 + D] of one batch, by one forward."""
    joint = model.config.action.decode == "joint"
    output = model.forward_joint(batch.inputs) if joint else taught(model, batch)
    rows = torch.zeros(datasets, 5 + model.config.action.dim, device=batch.scale.device)
    for which in batch.dataset.unique().tolist():
        mine = batch.dataset == which
        only = replace(batch, valid=batch.valid & mine[:, None, None])
        if joint:
            sums = action_sums(model, output, only, config.loss.l1, config.loss.tokens)
        else:
            sums = token_sums(model, only, output)
        normalized = (sums.error / batch.scale[mine][0].clamp_min(1e-8)).sum()  # constant: 0 / 0
        parts = [sums.loss, sums.count, sums.right, sums.rows, normalized]
        rows[which] = torch.cat([torch.stack([p.float() for p in parts]), sums.error])
    return rows


def _entry(row: list[float], names: Sequence[str]) -> dict[str, Any]:
    loss, count, right, rows, normalized = row[:5]
    return {
        "loss": loss / count,
        "token_accuracy": right / count,
        "normalized_l1": normalized / count,
        "l1": {name: error / rows for name, error in zip(names, row[5:], strict=True)},
    }
