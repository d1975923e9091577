# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The part of a sequence before the action slots, embedded once for any slot inputs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evla_ros.model.slots import SequenceLayout, build_layout, last_prompt_columns, slot_columns


@dataclass(frozen=True)
class Prefix:
    """Embedded prefixes of B samples with R instructions each."""

    shared: Tensor  # [B, 1 + patches + proprio tokens, hidden]
    text: Tensor  # [B, R, T - 1, hidden]
    text_lengths: Tensor  # [B, R], token 0 included
    patch_features: Tensor  # [B, cameras * patches, V]
    absent: Tensor | None = None  # [B, 1 + patches + proprio tokens] True: the column holds nothing

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the embeddings."""
        return self.shared.dtype

    @property
    def _sizes(self) -> tuple[int, int]:
        return self.text.shape[2] + 1, self.shared.shape[1]

    @property
    def last_shared(self) -> Tensor:
        """The last column [B] of the shared block that holds something."""
        columns = torch.arange(self.shared.shape[1], device=self.shared.device)
        columns = columns.expand(len(self.shared), -1)
        return (columns if self.absent is None else columns.masked_fill(self.absent, 0)).amax(1)

    def is_unbroken(self, slots: int) -> bool:
        """Return whether padding stands behind all that is real, so that columns are positions."""
        one_text = self.text.shape[1] == 1 and slots == 0
        return one_text and self.absent is None

    def layout(self, slots: int) -> SequenceLayout:
        """Return roles, segments and positions with `slots` action slots per instruction."""
        return build_layout(self.text_lengths, *self._sizes, slots, self.absent)

    def embeddings(self, slots: Tensor) -> Tensor:
        """Return embeddings [B, S, hidden] in column order, with slot inputs [B, R, N, hidden]."""
        return torch.cat([self.shared, torch.cat([self.text, slots], dim=2).flatten(1, 2)], dim=1)

    def slot_columns(self, slots: int) -> Tensor:
        """Return the columns [R, slots] of the action slots."""
        instructions = self.text_lengths.shape[1]
        return slot_columns(instructions, *self._sizes, slots, self.shared.device)

    def text_columns(self, slots: int) -> Tensor:
        """Return the columns [R, T] of each instruction's prompt tokens, token 0 first."""
        first_slot = self.slot_columns(slots)[:, :1]
        text = first_slot - torch.arange(self.text.shape[2], 0, -1, device=self.shared.device)
        return torch.cat([torch.zeros_like(first_slot), text], dim=1)

    def last_columns(self, slots: int) -> Tensor:
        """Return the columns [B, R] of the last prompt tokens."""
        return last_prompt_columns(self.text_lengths, *self._sizes, slots)

    def shifted_states(self, states: Tensor, slots: int) -> Tensor:
        """Return states [B, R, slots, hidden] one column early: last prompt token, slots 0..N-2."""
        last = self.last_columns(slots)[..., None]  # [B, R, 1]
        earlier = self.slot_columns(slots)[None, :, :-1].expand(len(last), -1, -1)
        columns = torch.cat([last, earlier], dim=2).flatten(1)  # [B, R * slots]
        gathered = torch.take_along_dim(states, columns[..., None], dim=1)
        return gathered.unflatten(1, (-1, slots))
