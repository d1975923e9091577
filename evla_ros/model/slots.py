# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where every token of a sequence stands: role, segment and rotary position of each column.

Columns are laid out alike in every sample: token 0, the patches, the proprio tokens; then, for each
instruction, its text (padded) and its action slots. A shorter text leaves padding columns between
its end and its slots; positions count real tokens only, so padding never shifts anything. Several
instructions may share one image prefix; their segments do not see each other.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class ColumnRole:
    """What a column holds; `IMAGE` is the shared block: token 0, patches and proprio.

    These are plain integers, not an enum, so that `torch.compile` can trace comparisons with
    tensors.
    """

    IMAGE = 0
    TEXT = 1
    SLOT = 2
    PAD = 3


class SequenceLayout(NamedTuple):
    """Role, segment and position of every column, [batch, columns] int64 each."""

    role: Tensor
    segment: Tensor  # 0: shared by all, r >= 1: the r-th instruction
    position: Tensor


def build_layout(
    text_lengths: Tensor, max_text: int, shared: int, slots: int, absent: Tensor | None = None
) -> SequenceLayout:
    """Lay out the columns of B samples with R instructions each.

    Args:
        text_lengths: [B, R] tokens of each prompt, token 0 included (1 or more).
        max_text: columns of the padded prompts, token 0 included.
        shared: columns of the shared block: 1 + patches + proprio tokens.
        slots: columns of action slots per instruction.
        absent: boolean [B, shared], True for columns of the shared block that hold nothing, such as
            the patches of a picture that a sample does not have; None: all are there.
    """
    batch, instructions = text_lengths.shape
    device = text_lengths.device
    shared_position = torch.arange(shared, device=device).expand(batch, shared)
    shared_role = torch.zeros_like(shared_position)
    before_text: Tensor | int = shared - 1  # the last shared position, [B, 1] where it varies
    if absent is not None:
        shared_position = ((~absent).cumsum(1) - 1).masked_fill(absent, 0)
        shared_role = shared_role.masked_fill(absent, ColumnRole.PAD)
        before_text = (~absent).sum(1, keepdim=True) - 1
    roles, segments, positions = (
        [shared_role],
        [torch.zeros_like(shared_position)],
        [shared_position],
    )
    text_index = torch.arange(1, max_text, device=device).expand(batch, -1)  # token 0 is shared
    slot_index = torch.arange(slots, device=device).expand(batch, -1)
    for segment in range(instructions):
        length = text_lengths[:, segment : segment + 1]
        is_text = text_index < length
        roles += [
            torch.where(is_text, ColumnRole.TEXT, ColumnRole.PAD),
            torch.full_like(slot_index, ColumnRole.SLOT),
        ]
        segments.append(torch.full((batch, max_text - 1 + slots), segment + 1, device=device))
        positions += [
            torch.where(is_text, before_text + text_index, 0),
            before_text + length + slot_index,
        ]
    return SequenceLayout(torch.cat(roles, 1), torch.cat(segments, 1), torch.cat(positions, 1))


def last_prompt_columns(text_lengths: Tensor, max_text: int, shared: int, slots: int) -> Tensor:
    """Return the column [B, R] of each instruction's last prompt token; see `build_layout`."""
    start = shared + torch.arange(text_lengths.shape[1], device=text_lengths.device) * (
        max_text - 1 + slots
    )
    return torch.where(text_lengths > 1, start + text_lengths - 2, 0)


def slot_columns(
    instructions: int, max_text: int, shared: int, slots: int, device: torch.device
) -> Tensor:
    """Return the columns [instructions, slots] of the action slots; the same in every sample."""
    start = (
        shared + torch.arange(instructions, device=device) * (max_text - 1 + slots) + max_text - 1
    )
    return start[:, None] + torch.arange(slots, device=device)
