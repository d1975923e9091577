# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which column sees which, from roles, segments and positions; never from padding or row length.

| kind            | prefix                                        | slots see the prefix and ... |
|-----------------|-----------------------------------------------|------------------------------|
| isolated        | causal                                        | themselves                   |
| bidirectional   | causal                                        | each other                   |
| prefix_lm       | bidirectional                                 | each other                   |
| block_prefix_lm | image block, then text, each bidirectional    | each other                   |
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from evla_ros.model.config import MaskKind
from evla_ros.model.slots import Role, SequenceLayout

PrefixRule = Literal["causal", "bidirectional", "blocks"]
SlotRule = Literal["isolated", "bidirectional", "causal", "hidden"]

MASK_RULES: dict[MaskKind, tuple[PrefixRule, SlotRule]] = {
    "isolated": ("causal", "isolated"),
    "bidirectional": ("causal", "bidirectional"),
    "prefix_lm": ("bidirectional", "bidirectional"),
    "block_prefix_lm": ("blocks", "bidirectional"),
}


def visible(layout: SequenceLayout, prefix_rule: PrefixRule, slot_rule: SlotRule) -> Tensor:
    """Boolean [B, S, S]: may query column i see key column j.

    The slot rules beyond the table: `causal` (autoregressive) and `hidden` (the published
    training: slots are seen by nobody, not even by themselves). Padding is seen by nobody and
    sees itself only, to keep softmax finite.
    """
    role_i, role_j = layout.role[:, :, None], layout.role[:, None, :]
    segment_i, segment_j = layout.segment[:, :, None], layout.segment[:, None, :]
    earlier = layout.position[:, None, :] <= layout.position[:, :, None]
    itself = torch.eye(layout.role.shape[1], dtype=torch.bool, device=layout.role.device)
    to_prefix = role_j < Role.SLOT
    if prefix_rule == "causal":
        to_prefix = to_prefix & earlier
    elif prefix_rule == "blocks":
        to_prefix = to_prefix & (role_j <= role_i)
    to_slot = (role_i == Role.SLOT) & (role_j == Role.SLOT)
    if slot_rule == "isolated":
        to_slot = to_slot & itself
    elif slot_rule == "causal":
        to_slot = to_slot & earlier
    elif slot_rule == "hidden":
        to_slot = torch.zeros_like(to_slot)
    same_segment = (segment_j == 0) | (segment_j == segment_i)
    real = (role_i != Role.PAD) & (role_j != Role.PAD)
    return ((to_prefix | to_slot) & same_segment & real) | ((role_i == Role.PAD) & itself)


def additive(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """The additive mask [B, 1, Q, K] that every attention kernel takes, of boolean [B, Q, K]."""
    mask = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
    return mask.masked_fill_(~allowed, torch.finfo(dtype).min)[:, None]
