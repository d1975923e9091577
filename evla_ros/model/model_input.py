# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the network takes and gives, as plain records of tensors."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from evla_ros.model.config import HeadName
from evla_ros.model.errors import ModelConfigError


@dataclass(frozen=True)
class ModelInput:
    """A batch of B samples; each may carry R instructions behind one image prefix.

    `images` [B, cameras, 3, S, S] uint8, or float in [0, 1]; instead of them `patch_features` [B,
    cameras * patches, V] as the backbones gave them (cached). `input_ids` [B, T] or [B, R, T],
    right-padded with any id; `text_lengths` [B] or [B, R]. `proprio` [B, P] normalised, when the
    model has a proprio token.
    """

    input_ids: Tensor
    text_lengths: Tensor
    images: Tensor | None = None
    patch_features: Tensor | None = None
    proprio: Tensor | None = None

    def to(self, device: torch.device | str) -> ModelInput:
        """The same batch on another device."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        moved = {
            name: t.to(device, non_blocking=True) for name, t in tensors.items() if t is not None
        }
        return replace(self, **moved)


@dataclass(frozen=True)
class JointOutput:
    """What one forward gives; the R axis is present where the input had it.

    `logits` [B, (R,) K*D, bins] over the action rows in ascending id order; `actions` [B, (R,) K,
    D] normalised, of the L1 head; `slot_states` [B, (R,) K*D, hidden]; and for auxiliary losses
    `patch_features` [B, cameras * patches, V], `image_states` [B, cameras * patches, hidden],
    `text_states` [B, (R,) T, hidden] (token 0 included, padding undefined).
    """

    logits: Tensor | None
    actions: Tensor | None
    slot_states: Tensor
    patch_features: Tensor
    image_states: Tensor
    text_states: Tensor

    def of_head(self, name: HeadName) -> Tensor:
        """`logits` of the tokens head or `actions` of the l1 head."""
        output = self.logits if name == "tokens" else self.actions
        if output is None:
            raise ModelConfigError(f"this model has no {name!r} head; use its other one")
        return output
