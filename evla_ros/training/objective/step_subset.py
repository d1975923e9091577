# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train on some of the K steps of a chunk at a time, which costs less.

With the mask `isolated` no action slot sees another, so the result for a slot does not depend on
which others are present, and leaving some out changes nothing for the rest.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from evla_ros.model.attention_mask import MASK_RULES, additive, visible
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import JointOutput, ModelInput
from evla_ros.training.samples.batch import Batch


def draw_steps(chunk: int, count: int, generator: torch.Generator) -> Tensor:
    """Return `count` of `chunk` step indices, ascending: the first step and random others."""
    others = 1 + torch.randperm(chunk - 1, generator=generator)[: count - 1]
    return torch.cat([torch.zeros(1, dtype=torch.long), others.sort().values])


def pick_steps(batch: Batch, steps: Tensor) -> Batch:
    """Return the batch with the labels of these steps only."""
    steps = steps.to(batch.actions.device, non_blocking=True)
    return replace(batch, actions=batch.actions[:, :, steps], valid=batch.valid[:, :, steps])


def forward_steps(model: EvlaModel, inputs: ModelInput, steps: Tensor) -> JointOutput:
    """Return what `EvlaModel.forward_joint` gives, for these steps only.

    Args:
        model: The network, with the mask `isolated`.
        inputs: B samples with an instruction axis R.
        steps: Indices of the chunk's steps.
    """
    dim = model.config.action.dim
    steps = steps.to(model.slot_embedding.device)
    index = (steps[:, None] * dim + torch.arange(dim, device=steps.device)).flatten()
    prefix = model.assemble(inputs)
    slots = model.slot_embedding[index].to(prefix.dtype).expand(*prefix.text_lengths.shape, -1, -1)
    count = len(index)
    layout = prefix.layout(count)
    columns = prefix.slot_columns(count)  # [R, count]
    position = layout.position.clone()
    position[:, columns] += index - torch.arange(count, device=index.device)
    layout = layout._replace(position=position)
    mask = additive(visible(layout, *MASK_RULES[model.config.action.mask]), prefix.dtype)
    states = model.language_model(prefix.embeddings(slots), mask, layout.position)
    at_slots, at_text = states[:, columns], states[:, prefix.text_columns(count)]
    heads = model.config.action.heads
    return JointOutput(
        model.action_logits(at_slots) if "tokens" in heads else None,
        model.l1_head(at_slots) if "l1" in heads else None,
        at_slots,
        prefix.patch_features,
        states[:, 1 : 1 + prefix.patch_features.shape[1]],
        at_text,
    )
