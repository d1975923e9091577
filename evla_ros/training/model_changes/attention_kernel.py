# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the attention kernel of a network that is already built."""

from __future__ import annotations

from torch import nn
from transformers import PretrainedConfig


def set_attention(model: nn.Module, kernel: str) -> None:
    """Let every attention layer use a kernel of transformers: `eager` or `sdpa`."""
    for module in model.modules():
        config = getattr(module, "config", None)
        if isinstance(config, PretrainedConfig):
            config._attn_implementation = kernel  # noqa: SLF001 - it has no public name
