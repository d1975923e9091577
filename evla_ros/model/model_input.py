# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the network takes and gives, as records of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.nn import functional

from evla_ros.model.config import HeadName
from evla_ros.model.errors import ModelConfigError


@dataclass(frozen=True)
class ModelInput:
    """A batch of B samples. Each may carry R instructions behind one image prefix.

    Attributes:
        input_ids: [B, T] or [B, R, T] prompt ids, padded on the right with any id.
        text_lengths: [B] or [B, R] ids in each prompt.
        images: [B, cameras, 3, side, side] uint8, or float in [0, 1].
        patch_features: instead of images, what the towers gave for them: [B, cameras * patches,
            vision width].
        proprio: [B, P] normalised; None for a model without a proprio token.
        image_counts: [B] pictures that a sample really has, the first ones of `images`; the others
            are seen by nothing and take no position. None: all of them.
    """

    input_ids: Tensor
    text_lengths: Tensor
    images: Tensor | None = None
    patch_features: Tensor | None = None
    proprio: Tensor | None = None
    image_counts: Tensor | None = None

    def to(self, device: torch.device | str) -> ModelInput:
        """Return the same batch on another device."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        moved = {
            name: t.to(device, non_blocking=True) for name, t in tensors.items() if t is not None
        }
        return replace(self, **moved)

    def pin_memory(self) -> ModelInput:
        """Return the same batch in memory that a GPU copies from while it computes."""
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{n: t.pin_memory() for n, t in tensors.items() if t is not None})


def stacked(inputs: Sequence[ModelInput]) -> ModelInput:
    """Return several batches as one; shorter prompts are padded on the right, as within a batch.

    Args:
        inputs: with one instruction per sample ([B, T] ids); all with images, and all with or all
            without proprio, as one processor makes them.
    """
    if len(inputs) == 1:
        return inputs[0]
    length = max(one.input_ids.shape[1] for one in inputs)
    ids = [functional.pad(one.input_ids, (0, length - one.input_ids.shape[1])) for one in inputs]
    images = [one.images for one in inputs if one.images is not None]
    proprio = [one.proprio for one in inputs if one.proprio is not None]
    return ModelInput(
        torch.cat(ids),
        torch.cat([one.text_lengths for one in inputs]),
        images=torch.cat(images),
        proprio=torch.cat(proprio) if proprio else None,
    )


@dataclass(frozen=True)
class JointOutput:
    """What one forward gives; the axis R is there when the input had it.

    Attributes:
        logits: [B, (R,) K * D, bins] over the action tokens, ids ascending; None without that head.
        actions: [B, (R,) K, D] normalised, of the L1 head; None without that head.
        slot_states: [B, (R,) K * D, hidden] last states of the action slots.
        patch_features: [B, cameras * patches, vision width], for auxiliary losses.
        image_states: [B, cameras * patches, hidden] last states of the patches, for auxiliary
            losses.
        text_states: [B, (R,) T, hidden] last states of the prompt, for auxiliary losses; token 0
            included, undefined at padding.
    """

    logits: Tensor | None
    actions: Tensor | None
    slot_states: Tensor
    patch_features: Tensor
    image_states: Tensor
    text_states: Tensor

    def of_head(self, name: HeadName) -> Tensor:
        """Return `logits` for the head `tokens`, `actions` for the head `l1`.

        Raises:
            ModelConfigError: the model lacks that head.
        """
        output = self.logits if name == "tokens" else self.actions
        if output is None:
            raise ModelConfigError(f"this model has no {name!r} head; use its other one")
        return output
