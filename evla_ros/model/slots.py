# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where every token stands: role, segment and rotary position of each column.

Columns are laid out alike in every sample: [token 0][patches][proprio]{[text, padded][slots]} x
R. A shorter text leaves padding columns between its end and its slots; positions count real
tokens only, so padding never shifts anything. R > 1 instructions may share one image prefix;
their segments do not see each other.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Role:
    """What a column holds; `IMAGE` is the shared block: token 0, patches and proprio.

    Plain integers, not an enum, so that `torch.compile` can trace comparisons with tensors.
    """

    IMAGE = 0
    TEXT = 1
    SLOT = 2
    PAD = 3


class SequenceLayout(NamedTuple):
    """Per-column facts, each [B, S] int64."""

    role: Tensor
    segment: Tensor  # 0: shared by all, r >= 1: the r-th instruction
    position: Tensor

    def columns(self, start: int, stop: int) -> SequenceLayout:
        """The same facts for the columns start .. stop - 1."""
        return SequenceLayout(*(fact[:, start:stop] for fact in self))


def build_layout(text_lengths: Tensor, max_text: int, shared: int, slots: int) -> SequenceLayout:
    """Lay out B samples of R instructions.

    Args:
        text_lengths: [B, R] number of prompt tokens, token 0 included (>= 1).
        max_text: T, columns of the padded prompts, token 0 included.
        shared: columns of the shared block (1 + patches + proprio tokens).
        slots: columns of action slots per instruction.
    """
    batch, instructions = text_lengths.shape
    device = text_lengths.device
    shared_position = torch.arange(shared, device=device).expand(batch, shared)
    roles, segments, positions = (
        [torch.zeros_like(shared_position)],
        [torch.zeros_like(shared_position)],
        [shared_position],
    )
    text_index = torch.arange(1, max_text, device=device).expand(batch, -1)  # token 0 is shared
    slot_index = torch.arange(slots, device=device).expand(batch, -1)
    for segment in range(instructions):
        length = text_lengths[:, segment : segment + 1]
        is_text = text_index < length
        roles += [torch.where(is_text, Role.TEXT, Role.PAD), torch.full_like(slot_index, Role.SLOT)]
        segments.append(torch.full((batch, max_text - 1 + slots), segment + 1, device=device))
        positions += [
            torch.where(is_text, shared - 1 + text_index, 0),
            shared - 1 + length + slot_index,
        ]
    return SequenceLayout(torch.cat(roles, 1), torch.cat(segments, 1), torch.cat(positions, 1))


def last_prompt_columns(text_lengths: Tensor, max_text: int, shared: int, slots: int) -> Tensor:
    """Column [B, R] of each instruction's last prompt token."""
    start = shared + torch.arange(text_lengths.shape[1], device=text_lengths.device) * (
        max_text - 1 + slots
    )
    return torch.where(text_lengths > 1, start + text_lengths - 2, 0)


def slot_columns(
    instructions: int, max_text: int, shared: int, slots: int, device: torch.device
) -> Tensor:
    """Columns [R, slots] of the action slots; the same in every sample."""
    start = (
        shared + torch.arange(instructions, device=device) * (max_text - 1 + slots) + max_text - 1
    )
    return start[:, None] + torch.arange(slots, device=device)
