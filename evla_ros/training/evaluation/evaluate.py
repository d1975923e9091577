# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics on held-out episodes, for each dataset: loss, token accuracy, error in real units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from evla_ros.model.evla_model import EvlaModel
from evla_ros.training.config import TrainConfig
from evla_ros.training.distributed import ProcessGroup
from evla_ros.training.metrics import accuracy_name
from evla_ros.training.objective.losses import action_sums, taught, token_sums
from evla_ros.training.samples.batch import Batch
from evla_ros.training.samples.loader import SampleStream


def evaluate(
    model: EvlaModel,
    stream: SampleStream,
    config: TrainConfig,
    names: Sequence[str],
    group: ProcessGroup,
) -> dict[str, dict[str, Any]]:
    """Score the network on what is held out; every rank has to call it and takes its share.

    Args:
        model: The network.
        stream: The held-out samples.
        config: The settings of the run: how many batches, and the weights of the losses.
        names: Names of the action's numbers.
        group: The ranks.

    Returns:
        Dataset name -> `loss`; `token_accuracy` (or `taught_token_accuracy`, see `accuracy_name`);
        `normalized_l1`, the mean error of a number in the range -1 to 1 of the network; and `l1`,
        the mean error of each number in its own unit.
    """
    size = config.optimizer.batch
    part = size // group.ranks
    enough = -(-sum(len(source) for source in stream.sources) // size)  # every sample once
    dim = model.config.action.dim
    sums = torch.zeros(len(stream.sources), 5 + dim, device=group.device)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for number in range(min(config.eval_batches, enough)):
            first = number * size + group.rank * part
            batch = stream.batch(range(first, first + part)).to(group.device)
            sums += _score(model, batch, config, len(stream.sources))
    model.train(was_training)
    sums = group.total(sums)
    accuracy = accuracy_name(model.config.action.decode)
    return {
        source.name: _entry(row, names, accuracy)
        for source, row in zip(stream.sources, sums.tolist(), strict=True)
        if row[1]
    }


def score_of(found: Mapping[str, Mapping[str, Any]]) -> float:
    """Return what decides which checkpoint is best: the mean `normalized_l1` of the datasets."""
    return float(sum(entry["normalized_l1"] for entry in found.values()) / len(found))


def _score(model: EvlaModel, batch: Batch, config: TrainConfig, datasets: int) -> torch.Tensor:
    """Return the sums [datasets, 5 + D] of one batch, by one forward pass."""
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


def _entry(row: list[float], names: Sequence[str], accuracy: str) -> dict[str, Any]:
    loss, count, right, rows, normalized = row[:5]
    return {
        "loss": loss / count,
        accuracy: right / count,
        "normalized_l1": normalized / count,
        "l1": {name: error / rows for name, error in zip(names, row[5:], strict=True)},
    }
