# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which column of a sequence sees which other one.

It follows from each column's role, segment and position, never from padding or row length.

| mask kind       | the prefix sees                               | slots see the prefix and ... |
|-----------------|-----------------------------------------------|------------------------------|
| isolated        | what comes before (causal)                    | themselves                   |
| bidirectional   | what comes before (causal)                    | each other                   |
| prefix_lm       | all of itself: pictures see the instruction   | each other                   |
| block_prefix_lm | image block, then text, each all of itself    | each other                   |
| full            | all of itself, and the slots                  | each other                   |

Under `prefix_lm` and `full` the states of a picture depend on its instruction, so a picture takes
one only. `full` is how OpenVLA-OFT was trained (arXiv 2502.19645).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from evla_ros.model.config import MaskKind
from evla_ros.model.slots import ColumnRole, SequenceLayout

PrefixRule = Literal["causal", "bidirectional", "blocks", "full"]
SlotRule = Literal["isolated", "bidirectional", "causal", "hidden"]

# Masks under which what a picture becomes depends on its instruction.
ONE_INSTRUCTION: tuple[MaskKind, ...] = ("prefix_lm", "full")
MASK_RULES: dict[MaskKind, tuple[PrefixRule, SlotRule]] = {
    "isolated": ("causal", "isolated"),
    "bidirectional": ("causal", "bidirectional"),
    "prefix_lm": ("bidirectional", "bidirectional"),
    "block_prefix_lm": ("blocks", "bidirectional"),
    "full": ("full", "bidirectional"),
}


def visible(layout: SequenceLayout, prefix_rule: PrefixRule, slot_rule: SlotRule) -> Tensor:
    """Return which column may see which one.

    Padding is seen by nobody and sees only itself, which keeps the softmax finite.

    Args:
        layout: role, segment and position of every column.
        prefix_rule: what the columns of the prefix see of each other.
        slot_rule: what action slots see of each other. Beyond the table of this module: `causal`
            for autoregressive decoding, and `hidden` for the published training, in which a slot is
            seen by nobody, not even by itself.

    Returns:
        Boolean [batch, columns, columns]: [b, i, j] says whether column i sees column j.
    """
    role_i, role_j = layout.role[:, :, None], layout.role[:, None, :]
    segment_i, segment_j = layout.segment[:, :, None], layout.segment[:, None, :]
    earlier = layout.position[:, None, :] <= layout.position[:, :, None]
    itself = torch.eye(layout.role.shape[1], dtype=torch.bool, device=layout.role.device)
    to_prefix = role_j < ColumnRole.SLOT
    if prefix_rule == "causal":
        to_prefix = to_prefix & earlier
    elif prefix_rule == "blocks":
        to_prefix = to_prefix & (role_j <= role_i)
    to_slot = role_j == ColumnRole.SLOT
    if prefix_rule != "full":
        to_slot = to_slot & (role_i == ColumnRole.SLOT)
    if slot_rule == "isolated":
        to_slot = to_slot & itself
    elif slot_rule == "causal":
        to_slot = to_slot & earlier
    elif slot_rule == "hidden":
        to_slot = torch.zeros_like(to_slot)
    same_segment = (segment_j == 0) | (segment_j == segment_i)
    if prefix_rule in ("bidirectional", "full"):
        same_segment = same_segment | ((segment_i == 0) & (to_prefix | to_slot))
    real = (role_i != ColumnRole.PAD) & (role_j != ColumnRole.PAD)
    return ((to_prefix | to_slot) & same_segment & real) | ((role_i == ColumnRole.PAD) & itself)


def additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the additive mask that every attention kernel takes.

    Args:
        allowed: boolean [batch, queries, keys].
        dtype: number format of the result; forbidden pairs get its most negative number.

    Returns:
        [batch, 1, queries, keys].
    """
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None]
