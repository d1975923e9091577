# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Move a trained network to another embodiment: keep what fits, start afresh what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.evla_model import EvlaModel


def adapted_config(  # noqa: PLR0913 - one keyword for each size that a robot decides
    config: EvlaConfig,
    *,
    chunk: int,
    dim: int,
    cameras: Sequence[str],
    proprio_dim: int,
    arm_columns: Sequence[Sequence[int]] = (),
    action: Mapping[str, Any] | None = None,
    center_crop: bool | None = None,
    source: str = "",
) -> EvlaConfig:
    """Return the configuration of a trained network for another robot.

    When the sizes of action and proprioception stay, so does how the network reads and moves its
    arms (`arm_columns`).

    Args:
        config: Configuration of the trained network.
        chunk: Actions of a chunk, K.
        dim: Numbers of an action, D.
        cameras: Camera names, in the order in which their patches follow each other.
        proprio_dim: Numbers of the proprioception, P; 0 for none.
        arm_columns: For several arms, the columns of the proprioception that belong to each.
        action: Further fields of `ActionConfig` to change (heads, output, mask, decode, ...).
        center_crop: Whether the network is served the centre of each picture; None keeps it.
        source: What an error names.

    Raises:
        ModelConfigError: The network cannot have these settings.
    """
    data = config.model_dump(mode="json")
    if (dim, proprio_dim) != (config.action.dim, config.proprio_dim):
        data["arm_columns"] = [list(columns) for columns in arm_columns]
    data["action"].update(action or {}, chunk=chunk, dim=dim)
    data["image"]["cameras"] = list(cameras)
    if center_crop is not None:
        data["image"]["center_crop"] = center_crop
    data["proprio_dim"] = proprio_dim
    idle = () if "tokens" in data["action"]["heads"] else ("action_rows",)
    data["untrained"] = [name for name in config.untrained if name in idle]  # the rest learns now
    return parse_config(data, source or config.name)


def fresh_parts(model: EvlaModel, config: EvlaConfig) -> str:
    """Return which parts of a network of `config` cannot take the weights of `model`.

    Returns:
        The parts with their old and new sizes, such as `slot_embedding (8 x 7 -> 4 x 7), l1_head`;
        empty when every weight carries over.
    """
    old, new = model.config.action, config.action
    sizes = f"slot_embedding ({old.chunk} x {old.dim} -> {new.chunk} x {new.dim})"
    names = fresh_names(model, config)
    return ", ".join(sizes if name == "slot_embedding" else name for name in names)


def fresh_names(model: EvlaModel, config: EvlaConfig) -> tuple[str, ...]:
    """Return the names of the parts that `fresh_parts` describes."""
    old, new = model.config.action, config.action
    known = {name: parameter.shape for name, parameter in model.named_parameters()}
    with torch.device("meta"):
        made = dict(EvlaModel(config).named_parameters())
    found = {name.split(".")[0] for name, p in made.items() if known.get(name) != p.shape}
    found.discard("slot_embedding")
    slots = ["slot_embedding"] * (old.chunk != new.chunk or new.dim % old.dim > 0)
    return (*slots, *sorted(found))


def transplant(
    model: EvlaModel, config: EvlaConfig, attention: str = "sdpa", *, copy: bool = True
) -> EvlaModel:
    """Return a network of `config` that begins with the weights of `model` where they fit.

    Encoders, projector and language model carry over. When the robot has several arms like the
    trained one, all of them share its proprio layer and continuous head (`arm_columns`), and its
    slot embeddings are repeated for every arm. What does not fit is drawn at random.

    Args:
        model: The trained network.
        config: Configuration of the network to make.
        attention: Its attention kernel.
        copy: Whether the network gets weights of its own, in fp32; else it shares the tensors of
            `model`, which may lie in a file.
    """
    known = dict(model.named_parameters())
    fresh = fresh_names(model, config)
    parts = {name.split(".")[0] for name in known}
    changed = EvlaModel(config, attention=attention, empty=parts - set(fresh))
    old, new = model.config.action, config.action
    arms = new.dim // old.dim if new.dim % old.dim == 0 else 1
    with torch.no_grad():
        for name, parameter in list(changed.named_parameters()):
            kept = known.get(name)
            if kept is not None and name == "slot_embedding":
                kept = _repeated_slots(kept, old.chunk, new.chunk, arms)
            if kept is None or kept.shape != parameter.shape:
                continue
            if not parameter.is_meta:  # beside others that are new
                parameter.copy_(kept)
                continue
            path, _, leaf = name.rpartition(".")
            own = kept.detach().to(parameter.dtype, copy=True) if copy else kept.detach()
            setattr(changed.get_submodule(path), leaf, nn.Parameter(own))
    if "language_model" not in fresh:
        changed.language_model.rebuild_buffers(torch.device("cpu"))
    return changed


def _repeated_slots(slots: Tensor, chunk: int, new_chunk: int, arms: int) -> Tensor | None:
    """Return slot embeddings [K*D, hidden] repeated for every arm, [K*arms*D, hidden].

    None when the chunk changes: the slots of one step say nothing about those of another.
    """
    if chunk != new_chunk:
        return None
    return slots.unflatten(0, (chunk, -1)).repeat(1, arms, 1).flatten(0, 1)
