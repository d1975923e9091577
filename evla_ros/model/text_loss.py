# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cross-entropy of text tokens over a large vocabulary, a few hundred tokens at a time.

The logits of one token of Qwen2 are 0.6 MB in fp32. They are computed again in the backward pass
instead of being kept, so a long batch takes no more memory for them than a short one.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from evla_ros.model.language_model import LanguageModel

TOKENS = 512  # whose logits are in memory at once


def text_loss(
    language_model: LanguageModel, states: Tensor, ids: Tensor, rows: int
) -> tuple[Tensor, Tensor]:
    """Return the sum of the cross-entropies, and how many tokens are the likeliest ones.

    Args:
        language_model: gives the logits.
        states: [N, hidden], each of which predicts a token.
        ids: [N] the tokens.
        rows: how many ids a token may have, from 0 on.
    """

    def part(states: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        logits = language_model.logits(states, 0, rows).float()
        loss = functional.cross_entropy(logits, ids, reduction="sum")
        return loss, (logits.detach().argmax(-1) == ids).sum()

    loss = states.sum() * 0.0  # a batch without answers takes part in the backward pass too
    right = torch.zeros((), dtype=torch.long, device=states.device)
    for few, expected in zip(states.split(TOKENS), ids.split(TOKENS), strict=True):
        if not len(few):
            continue
        if torch.is_grad_enabled():
            each, hits = checkpoint(
                part, few, expected, use_reentrant=False, preserve_rng_state=False
            )
        else:
            each, hits = part(few, expected)
        loss, right = loss + each, right + hits
    return loss.float(), right
