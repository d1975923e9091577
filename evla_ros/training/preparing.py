# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run decides before it begins: its share of the samples, learning rate, weight decay."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeVar

from torch import nn

from evla_ros.training import distributed
from evla_ros.training.config import TrainConfig
from evla_ros.training.errors import TrainingError
from evla_ros.training.initial_model.initial_model import Held
from evla_ros.training.run_settings import RunSettings
from evla_ros.training.samples.loader import Share

Settings = TypeVar("Settings", bound=RunSettings)

_LARGE = 50_000_000  # parameters
_OF_SMALL, _OF_LARGE, _OF_ADAPTERS = 1e-3, 2e-5, 5e-4
_PRODUCTS = (nn.Linear, nn.Conv1d, nn.Conv2d)


def held_by(config: Any, group: distributed.ProcessGroup) -> Held:
    """Return what a rank holds of the network before its first step, see `Held`.

    The weights of a sharded network stay in the file of its checkpoint; random ones are drawn by
    the main rank alone, unless every rank is to encode pictures with them.

    Args:
        config: The settings of a run of either phase.
        group: The ranks.
    """
    if not distributed.is_sharded(config, group):
        return "whole"
    if config.model.start or getattr(config, "cache_features", False):
        return "mapped"
    return "whole" if group.is_main else "shapes"


def share_of(
    config: RunSettings, group: distributed.ProcessGroup, *, resume: bool = False
) -> Share:
    """Return this rank's share of the stream; a sharded run may go on in one process.

    Raises:
        TrainingError: The batch cannot be divided by ranks and accumulated forwards.
    """
    if config.distributed == "fsdp" and group.ranks == 1 and not resume:
        raise TrainingError(
            "distributed: fsdp has no effect in one process; start several with torchrun, or "
            "leave it out"
        )
    settings = config.optimizer
    parts = settings.accumulate * group.ranks
    if settings.batch % parts:
        raise TrainingError(
            f"optimizer.batch {settings.batch} is not a multiple of accumulate x ranks = {parts}"
        )
    return Share(group.rank, group.ranks, settings.batch // parts, settings.accumulate)


def with_steps(config: Settings, samples: int) -> Settings:
    """Return the settings with numbers of steps in place of epochs and shares.

    Args:
        config: The settings of the run.
        samples: How many samples there are to learn from.
    """
    settings = config.optimizer
    steps, warmup = settings.steps, settings.warmup_steps
    if settings.epochs:
        steps = max(1, math.ceil(settings.epochs * samples / settings.batch))
    if settings.warmup_share:
        warmup = round(settings.warmup_share * steps)
    optimizer = settings.model_copy(update={"steps": steps, "warmup_steps": warmup})
    return config.model_copy(update={"optimizer": optimizer})


def with_learning_rate(config: Settings, model: nn.Module, usual: float = 0.0) -> Settings:
    """Return the settings with a learning rate in place of 0, which goes by the network's size.

    Networks of more than 50 million parameters take the published ones of OpenVLA and OpenVLA-OFT:
    2e-5, and 5e-4 for adapters (arXiv 2406.09246, 2502.19645).

    Args:
        config: The settings of the run.
        model: The network.
        usual: What the run takes in place of 0 instead; 0 goes by the size.
    """
    settings = config.optimizer
    if settings.learning_rate:
        return config
    large = sum(p.numel() for p in model.parameters()) > _LARGE
    adapters = isinstance(config, TrainConfig) and config.lora.rank
    rate = usual or (_OF_ADAPTERS if adapters else _OF_LARGE if large else _OF_SMALL)
    optimizer = settings.model_copy(update={"learning_rate": rate})
    return config.model_copy(update={"optimizer": optimizer})


def decay_groups(modules: Iterable[nn.Module], decay: float) -> list[dict[str, Any]]:
    """Return optimiser groups of what learns in some modules.

    Weight decay applies to the weights of linear and convolution layers, not to biases, norms and
    embeddings, whose rows would shrink while their tokens do not occur.
    """
    products: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for module in modules:
        layers = [m for m in module.modules() if isinstance(m, _PRODUCTS)]
        weights = {id(layer.weight) for layer in layers}
        for parameter in module.parameters():
            if parameter.requires_grad:
                (products if id(parameter) in weights else others).append(parameter)
    groups = [{"params": products, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
