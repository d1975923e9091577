# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LoRA adapters by peft on every linear layer, and the plain weights that they amount to."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn

from evla_ros.model.adapter_checkpoint import ROWS as ROWS_OF
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.stored import Stored
from evla_ros.training.config import LoraSettings
from evla_ros.training.errors import TrainingError
from evla_ros.training.model_changes.narrow_base import NarrowLinear, narrow_base

HEAD = "language_model.head"  # its rows are read as a table, so an adapter would not be asked
WHOLE = ("l1_head", "slot_embedding")  # learn whole beside adapters, fresh or not
ROWS = "action_rows"


def add_lora(
    model: EvlaModel, settings: LoraSettings, seed: int, fresh: Collection[str] = ()
) -> None:
    """Put adapters beside all linear layers of vision, projector and language model.

    They learn, and so do the heads, the slots and whatever has random weights, as a whole: an
    adapter of low rank cannot make up for a layer that knows nothing.

    Args:
        model: The network, changed in place.
        settings: Rank and scale.
        seed: Of the adapters' weights.
        fresh: Parts with random weights, such as `projector`, `backbones.0` or `action_rows`.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise TrainingError("lora.rank > 0 needs peft: pip install 'evla_ros[train]'") from error
    torch.manual_seed(seed)
    whole = tuple(f"{part}." for part in (*WHOLE, *fresh))
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and name != HEAD and not f"{name}.".startswith(whole)
    ]
    alpha: Any = settings.alpha  # a float scales as well as the int that peft declares
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=alpha,
        lora_dropout=settings.dropout,
        target_modules=names,
        init_lora_weights="gaussian",
    )
    inject_adapter_in_model(config, model)
    narrow_base(model, settings.base)
    if ROWS in fresh and "tokens" in model.config.action.heads:
        tokenizer = model.action_tokenizer
        model.language_model.separate_rows(tokenizer.first_id, tokenizer.bins)
    for name, parameter in model.named_parameters():
        learns = "lora_" in name or "own_rows" in name or f"{name}.".startswith(whole)
        parameter.requires_grad_(learns)


def merged_tensors(model: EvlaModel) -> dict[str, Tensor]:
    """Return the plain parameters with adapters added in; without adapters just the parameters."""
    return {name: stored.read() for name, stored in merged_weights(model).items()}


def merged_weights(
    model: EvlaModel, whole: Callable[[Tensor], Tensor] = lambda tensor: tensor
) -> dict[str, Stored]:
    """Return what `merged_tensors` gives, each computed when it is read.

    Args:
        model: The network, with adapters or without.
        whole: Gathers a tensor that is spread over the ranks. Every rank then has to read all of
            them, in the same order.
    """
    adapters: dict[str, Any] = {
        f"{name}.weight": module for name, module in model.named_modules() if is_adapter(module)
    }
    rows = model.language_model.own_rows
    own = {} if rows is None else rows.of_tables("language_model.")
    found = {}
    for name, parameter in model.named_parameters():
        if "lora_" in name or "own_rows" in name or name.endswith(".absmax"):
            continue
        plain = name.replace(".base_layer.", ".").replace(".packed", ".weight")
        adapter = adapters.get(plain)
        shape, dtype = parameter.shape, parameter.dtype
        if adapter is not None and isinstance(adapter.base_layer, NarrowLinear):
            layer, dtype = adapter.base_layer, torch.float32
            shape = torch.Size([layer.out_features, layer.in_features])
        read = functools.partial(_merged, parameter, adapter, own.get(plain), whole)
        found[plain] = Stored(tuple(shape), dtype, read, plain)
    return found


def adapter_weights(
    model: EvlaModel, whole: Callable[[Tensor], Tensor] = lambda tensor: tensor
) -> dict[str, Stored]:
    """Return what learned, by the names of `evla_ros.model.adapter_checkpoint`.

    Args:
        model: The network with adapters.
        whole: See `merged_weights`.
    """
    rows = model.language_model.own_rows
    tables = {} if rows is None else rows.of_tables("language_model.")
    found = {name + ROWS_OF: values for name, (_, values) in tables.items()}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and "own_rows" not in name:
            found[name.removesuffix(".default.weight")] = parameter
    return {
        name: Stored(
            tuple(p.shape), p.dtype, functools.partial(lambda p: whole(p.detach()), p), name
        )
        for name, p in found.items()
    }


def is_adapter(module: nn.Module) -> bool:
    """Return whether a module is a linear layer with an adapter beside it."""
    return hasattr(module, "get_delta_weight") and hasattr(module, "lora_A")


@torch.no_grad()
def _merged(
    parameter: Tensor,
    adapter: Any,
    own: tuple[slice, Tensor] | None,
    whole: Callable[[Tensor], Tensor],
) -> Tensor:
    narrow = adapter is not None and isinstance(adapter.base_layer, NarrowLinear)
    tensor = adapter.base_layer.dense() if narrow else whole(parameter.detach())
    if adapter is not None:
        down, up = (whole(part["default"].weight) for part in (adapter.lora_A, adapter.lora_B))
        tensor = tensor + adapter.scaling["default"] * (up @ down)
    if own is not None:
        rows, values = own
        tensor = tensor.clone()
        tensor[rows] = whole(values.detach()).to(tensor.dtype)
    return tensor
