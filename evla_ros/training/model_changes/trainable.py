# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network as the settings train it: frozen, adapted, with training heads."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from evla_ros.model.evla_model import EvlaModel
from evla_ros.training import distributed
from evla_ros.training.config import TrainConfig
from evla_ros.training.model_changes.activation_checkpointing import checkpoint_activations
from evla_ros.training.model_changes.freeze import freeze
from evla_ros.training.model_changes.lora import add_lora
from evla_ros.training.objective.grounding import Grounding
from evla_ros.training.run_settings import RunSettings


def trainable_modules(
    model: EvlaModel,
    config: TrainConfig,
    group: distributed.ProcessGroup,
    fresh: Collection[str] = (),
) -> dict[str, nn.Module]:
    """Freeze or adapt the network in place.

    Args:
        model: The network.
        config: The settings of the run.
        group: The ranks.
        fresh: Parts with random weights, which learn whole beside adapters.

    Returns:
        The network (`model`), and the training heads of `grounding` where the loss has them.
    """
    freeze(model, config.freeze)
    if config.lora.rank:
        add_lora(model, config.lora, config.seed, fresh)
    recompute_activations(model, config, draws=config.lora.rank > 0 and config.lora.dropout > 0)
    modules: dict[str, nn.Module] = {"model": model}
    if config.loss.grounding:
        torch.manual_seed(config.seed + 1)
        modules["grounding"] = Grounding(model, config.loss.grounding_layer).to(group.device)
    return modules


def recompute_activations(model: EvlaModel, config: RunSettings, *, draws: bool = False) -> None:
    """Keep less of a forward pass for its backward pass, where the settings ask for it.

    Args:
        model: The network, changed in place.
        config: The settings of the run.
        draws: Whether a block draws random numbers.
    """
    if config.activation_checkpointing:
        checkpoint_activations(model, draws=draws)
