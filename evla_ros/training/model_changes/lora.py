# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LoRA adapters by peft on every linear layer, and the plain weights that they amount to."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from evla_ros.model.evla_model import EvlaModel
from evla_ros.training.config import LoraSettings
from evla_ros.training.errors import TrainingError


def add_lora(model: EvlaModel, settings: LoraSettings, seed: int) -> None:
    """Put adapters beside all linear layers of vision, projector and language model.

    Only they learn.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise TrainingError("lora.rank > 0 needs peft: pip install 'evla_ros[train]'") from error
    torch.manual_seed(seed)
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and not name.startswith("l1_head")
    ]
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=names,
        init_lora_weights="gaussian",
    )
    inject_adapter_in_model(config, model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name or name.startswith(("l1_head", "slot_embedding")))


@torch.no_grad()
def merged_tensors(model: EvlaModel) -> dict[str, Tensor]:
    """Return the plain parameters with adapters added in; without adapters just the parameters."""
    deltas = {
        f"{name}.weight": module.get_delta_weight("default")
        for name, module in model.named_modules()
        if hasattr(module, "get_delta_weight") and hasattr(module, "lora_A")
    }
    tensors = {}
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            continue
        plain = name.replace(".base_layer.", ".")
        delta = deltas.get(plain)
        tensors[plain] = parameter if delta is None else parameter + delta
    return tensors
