# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The part of a sequence before the action slots, embedded once for any slot inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from evla_ros.model.errors import ObservationError
from evla_ros.model.model_input import ModelInput
from evla_ros.model.slots import SequenceLayout, build_layout, last_prompt_columns, slot_columns

if TYPE_CHECKING:
    from evla_ros.model.evla_model import EvlaModel


@dataclass(frozen=True)
class Prefix:
    """Embedded prefixes of B samples with R instructions each."""

    shared: Tensor  # [B, 1 + patches + proprio tokens, hidden]
    text: Tensor  # [B, R, T - 1, hidden]
    text_lengths: Tensor  # [B, R], token 0 included
    patch_features: Tensor  # [B, cameras * patches, V]

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the embeddings."""
        return self.shared.dtype

    @property
    def _sizes(self) -> tuple[int, int]:
        return self.text.shape[2] + 1, self.shared.shape[1]

    def layout(self, slots: int) -> SequenceLayout:
        """Roles, segments and positions with `slots` action slots per instruction."""
        return build_layout(self.text_lengths, *self._sizes, slots)

    def embeddings(self, slots: Tensor) -> Tensor:
        """[B, S, hidden] in column order, slot inputs [B, R, N, hidden] in place."""
        return torch.cat([self.shared, torch.cat([self.text, slots], dim=2).flatten(1, 2)], dim=1)

    def slot_columns(self, slots: int) -> Tensor:
        """Columns [R, slots]."""
        instructions = self.text_lengths.shape[1]
        return slot_columns(instructions, *self._sizes, slots, self.shared.device)

    def text_columns(self, slots: int) -> Tensor:
        """Columns [R, T] of each instruction's prompt tokens, token 0 first."""
        first_slot = self.slot_columns(slots)[:, :1]
        text = first_slot - torch.arange(self.text.shape[2], 0, -1, device=self.shared.device)
        return torch.cat([torch.zeros_like(first_slot), text], dim=1)

    def last_columns(self, slots: int) -> Tensor:
        """Columns [B, R] of the last prompt tokens."""
        return last_prompt_columns(self.text_lengths, *self._sizes, slots)

    def shifted_states(self, states: Tensor, slots: int) -> Tensor:
        """States [B, R, slots, hidden] one column early: the last prompt token, slots 0 .. N-2."""
        last = self.last_columns(slots)[..., None]  # [B, R, 1]
        earlier = self.slot_columns(slots)[None, :, :-1].expand(len(last), -1, -1)
        columns = torch.cat([last, earlier], dim=2).flatten(1)  # [B, R * slots]
        gathered = torch.take_along_dim(states, columns[..., None], dim=1)
        return gathered.unflatten(1, (-1, slots))


def assemble(model: EvlaModel, batch: ModelInput) -> Prefix:
    """Embed a batch: encode and project its images (or its cached features), embed its text."""
    ids = batch.input_ids if batch.input_ids.dim() == 3 else batch.input_ids[:, None]
    lengths = batch.text_lengths if batch.text_lengths.dim() == 2 else batch.text_lengths[:, None]
    if batch.patch_features is not None:
        features = batch.patch_features
    elif batch.images is not None:
        features = model.encode_images(batch.images)
    else:
        raise ObservationError("a batch needs images or patch_features; it has neither")
    text = model.language_model.embed(ids)
    blocks = [text[:, 0, :1], model.projector(features.to(model.dtype)).to(text.dtype)]
    if model.config.proprio_dim:
        if batch.proprio is None:
            raise ObservationError(
                f"the model takes {model.config.proprio_dim} proprioception numbers; there are none"
            )
        blocks.append(model.encode_proprio(batch.proprio.to(model.dtype)).to(text.dtype))
    return Prefix(torch.cat(blocks, dim=1), text[:, :, 1:], lengths, features)
