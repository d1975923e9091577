# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Move a trained network to another embodiment: keep what fits, start afresh what does not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.evla_model import EvlaModel


def adapted_config(
    config: EvlaConfig,
    *,
    chunk: int,
    dim: int,
    cameras: Sequence[str],
    proprio_dim: int,
    arm_columns: Sequence[Sequence[int]] = (),
) -> EvlaConfig:
    """Return the configuration for another robot's cameras, actions and proprioception.

    The same numbers again keep how the checkpoint reads and moves its arms.
    """
    data = config.model_dump(mode="json")
    if (dim, proprio_dim) != (config.action.dim, config.proprio_dim):
        data["arm_columns"] = [list(columns) for columns in arm_columns]
    data["action"].update(chunk=chunk, dim=dim)
    data["image"]["cameras"] = list(cameras)
    data["proprio_dim"] = proprio_dim
    return parse_config(data, config.name)


def transplant(model: EvlaModel, config: EvlaConfig, attention: str = "sdpa") -> EvlaModel:
    """Return a network of `config` with every tensor of `model` that has its name and shape.

    Encoders, projector and language model carry over. A robot of several such arms begins by
    reading and moving each of them as the one arm was: they share its proprio layer and continuous
    head (`arm_columns`), and its slot embeddings are repeated for every arm. What does not fit is
    new.
    """
    changed = EvlaModel(config, attention=attention)
    known = dict(model.named_parameters())
    old, new = model.config.action, config.action
    arms = new.dim // old.dim if new.dim % old.dim == 0 else 1
    with torch.no_grad():
        for name, parameter in changed.named_parameters():
            if name not in known:
                continue
            kept: Tensor | None = known[name]
            if name == "slot_embedding":
                kept = _repeated_slots(known[name], old.chunk, new.chunk, arms)
            if kept is not None and kept.shape == parameter.shape:
                parameter.copy_(kept)
    return changed


def _repeated_slots(slots: Tensor, chunk: int, wanted: int, arms: int) -> Tensor | None:
    """Slots [K*D, hidden] -> [K*arms*D, hidden]: every step has each arm's D after another."""
    if chunk != wanted:
        return None
    return slots.unflatten(0, (chunk, -1)).repeat(1, arms, 1).flatten(0, 1)
