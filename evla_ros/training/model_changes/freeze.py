# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which parts learn: the published choices (vision frozen, last layer only) and any mix of them."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn

from evla_ros.model.evla_model import EvlaModel


def freeze(model: EvlaModel, parts: Collection[str]) -> None:
    """Stop the gradients of `vision`, `projector`, `llm` or `llm_but_last` (layer)."""
    if "vision" in parts:
        _stop(model.backbones)
    if "projector" in parts:
        _stop(model.projector)
    if "llm" in parts or "llm_but_last" in parts:
        _stop(model.language_model)
    if "llm_but_last" in parts:
        for module in (model.language_model.body.layers[-1], model.language_model.body.norm):
            for parameter in module.parameters():
                parameter.requires_grad_(True)


def _stop(module: nn.Module) -> None:
    for parameter in module.parameters():
        parameter.requires_grad_(False)
