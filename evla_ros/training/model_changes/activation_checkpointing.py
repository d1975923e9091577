# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keep only what enters each block, and compute the rest again in the backward pass."""

from __future__ import annotations

import functools
from typing import Any

from torch.utils.checkpoint import checkpoint

from evla_ros.model.evla_model import EvlaModel


def checkpoint_activations(model: EvlaModel, *, draws: bool) -> None:
    """Let every block of the towers and of the decoder, and the projector, keep its input alone.

    A forward pass then needs a fraction of the memory, and a step about a third more time.

    Args:
        model: The network, changed in place.
        draws: Whether a block draws random numbers (dropout), which have to come out alike.
    """
    again: Any = functools.partial(checkpoint, use_reentrant=False, preserve_rng_state=draws)
    for block in (*model.blocks(), model.projector):
        block.forward = _unless_scoring(block, block.forward, again)  # type: ignore[method-assign]


def _unless_scoring(block: Any, forward: Any, again: Any) -> Any:
    @functools.wraps(forward)
    def compute(*inputs: Any, **given: Any) -> Any:
        if not block.training:
            return forward(*inputs, **given)
        return again(forward, *inputs, **given)

    return compute
