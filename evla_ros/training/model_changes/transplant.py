# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Move a trained network to another embodiment: keep what fits, start afresh what does not."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.evla_model import EvlaModel


def adapted_config(
    config: EvlaConfig, *, chunk: int, dim: int, cameras: Sequence[str], proprio_dim: int
) -> EvlaConfig:
    """Return the configuration for another robot's cameras, actions and proprioception."""
    data = config.model_dump(mode="json")
    data["action"].update(chunk=chunk, dim=dim)
    data["image"]["cameras"] = list(cameras)
    data["proprio_dim"] = proprio_dim
    return parse_config(data, config.name)


def transplant(model: EvlaModel, config: EvlaConfig, attention: str = "sdpa") -> EvlaModel:
    """Return a network of `config` with every tensor of `model` that has its name and shape.

    Encoders, projector and language model carry over; a robot of several such arms begins with the
    slot embeddings of the one arm in each of them. Else slot embeddings, the proprio token and the
    continuous head are new where the number of actions or proprio values differs.
    """
    changed = EvlaModel(config, attention=attention)
    known = dict(model.named_parameters())
    with torch.no_grad():
        for name, parameter in changed.named_parameters():
            if name in known and known[name].shape == parameter.shape:
                parameter.copy_(known[name])
        old, new = model.config.action, config.action
        if old.chunk == new.chunk and new.dim > old.dim and new.dim % old.dim == 0:
            by_step = model.slot_embedding.unflatten(0, (old.chunk, old.dim))  # [K, D, hidden]
            arms = by_step.repeat(1, new.dim // old.dim, 1)
            changed.slot_embedding.copy_(arms.flatten(0, 1))
    return changed
