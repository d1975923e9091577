# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The attention kernels of the towers and of the decoder: torch's fused one, or plain products.

Where every column sees those before it, the fused one needs no mask at all, and torch then takes
FlashAttention on a GPU. It is registered under a name of our own: for a name that it knows,
transformers makes a mask where none is given, or looks for packed rows, which waits for the GPU.
"""

from __future__ import annotations

from torch import nn
from transformers import AttentionInterface, PretrainedConfig
from transformers.integrations.sdpa_attention import sdpa_attention_forward

_NAMES = {"sdpa": "evla_sdpa", "eager": "eager"}

AttentionInterface.register(_NAMES["sdpa"], sdpa_attention_forward)


def registered_name(kernel: str) -> str:
    """Return what transformers calls a kernel: `eager` or `sdpa`."""
    return _NAMES[kernel]


def set_attention(model: nn.Module, kernel: str) -> None:
    """Let every attention layer of a network that is already built use a kernel."""
    for module in model.modules():
        config = getattr(module, "config", None)
        if isinstance(config, PretrainedConfig):
            config._attn_implementation = _NAMES[kernel]  # noqa: SLF001 - it has no public name


def is_causal_without_mask(config: PretrainedConfig) -> bool:
    """Return whether a decoder's columns see those before them, and no others, without a mask."""
    return config._attn_implementation == _NAMES["sdpa"]  # noqa: SLF001
