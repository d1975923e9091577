# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run one training batch through the network and compute its losses."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from evla_ros.model.evla_model import EvlaModel
from evla_ros.training.config import LossSettings, TrainConfig
from evla_ros.training.objective.grounding import label_counts
from evla_ros.training.objective.losses import Sums, action_sums, taught, token_sums
from evla_ros.training.objective.step_subset import draw_steps, forward_steps, pick_steps
from evla_ros.training.samples.batch import Batch


class ActionObjective:
    """Actions of the robots' datasets: phase 2."""

    def __init__(
        self, model: EvlaModel, config: TrainConfig, modules: Mapping[str, nn.Module]
    ) -> None:
        """Take the network, the settings of the run, and its training heads."""
        self._model, self._loss, self._seed = model, config.loss, config.seed
        self._grounding = modules.get("grounding")

    def prepared(self, batch: Batch, step: int) -> Batch:
        """Return the batch with the labels of the chunk's steps that an optimiser step learns."""
        steps = self._steps(step)
        return batch if steps is None else pick_steps(batch, steps)

    def labels(self, batch: Batch) -> Tensor:
        """Return what the grounding losses of a step are divided by, see `label_counts`."""
        return label_counts(batch)

    def losses(self, batch: Batch, step: int, labels: Tensor | None = None) -> tuple[Sums, Tensor]:
        """Return the sums of the action losses, and the weighted grounding loss."""
        heads = (self._grounding, labels)
        return forward_losses(self._model, batch, self._loss, self._steps(step), *heads)

    def _steps(self, step: int) -> Tensor | None:
        chunk = self._model.config.action.chunk
        return steps_to_learn(chunk, self._loss.steps, self._seed, step)


def forward_losses(
    model: EvlaModel,
    batch: Batch,
    weights: LossSettings,
    steps: Tensor | None = None,
    grounding: nn.Module | None = None,
    counts: Tensor | None = None,
) -> tuple[Sums, Tensor]:
    """Return the sums of the action losses, and the weighted grounding loss as a scalar.

    Args:
        model: The network.
        batch: B samples, reduced to `steps` where they are given.
        weights: Weights of the losses.
        steps: Indices of the chunk's steps that are learned; None learns all.
        grounding: The grounding heads; None computes no grounding loss.
        counts: What the grounding losses are divided by, see `Grounding.forward`.
    """
    if model.config.action.decode != "joint":
        output = taught(model, batch)
        sums = token_sums(model, batch, output)
    else:
        if steps is None:
            output = model.forward_joint(batch.inputs)
        else:
            output = model(forward_steps, batch.inputs, steps)
        sums = action_sums(model, output, batch, weights.l1, weights.tokens)
    nothing = sums.loss.new_zeros(())
    if grounding is None:
        return sums, nothing
    found = grounding(output, batch, counts).values()
    return sums, weights.grounding * sum(found, start=nothing)


def steps_to_learn(chunk: int, count: int, seed: int, step: int) -> Tensor | None:
    """Return the indices of the chunk's steps that an optimiser step learns.

    Args:
        chunk: Steps of a chunk, K.
        count: How many to learn; 0 means all.
        seed: Seed of the run.
        step: Number of the optimiser step.

    Returns:
        [count] in ascending order, or None to learn all.
    """
    if count == 0 or count >= chunk:
        return None
    return draw_steps(chunk, count, torch.Generator().manual_seed(seed * 1_000_003 + step))
