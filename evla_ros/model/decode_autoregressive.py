# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One action token at a time over a key/value cache: how OpenVLA and earlier EVLA code decode."""

from __future__ import annotations

import torch
from torch import Tensor

from evla_ros.model.attention_mask import SlotRule, additive, visible
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.language_model import KeyValueCache
from evla_ros.model.model_input import ModelInput
from evla_ros.model.prefix import Prefix


class Stepper:
    """Decodes slot after slot behind a prefix that is computed once; one instruction a sample.

    Every step has the same shapes.
    """

    def __init__(self, model: EvlaModel, prefix: Prefix, slot_rule: SlotRule, slots: int) -> None:
        self.model = model
        layout = prefix.layout(slots)
        self.start = layout.role.shape[1] - slots  # first slot column
        self.positions = layout.position
        allowed = visible(layout, model.prefix_rule, slot_rule)
        self.mask = additive(allowed, prefix.dtype)  # [B, 1, S, S]
        self.columns = torch.arange(layout.role.shape[1], device=prefix.shared.device)
        self.cache: KeyValueCache = model.language_model.new_cache(
            len(prefix.shared), layout.role.shape[1]
        )
        empty = prefix.shared.new_zeros(len(prefix.shared), 1, 0, prefix.shared.shape[-1])
        states = self._forward(prefix.embeddings(empty), 0, self.start)
        last = prefix.last_columns(slots)[:, :, None]  # [B, 1, 1]
        self.last_state = torch.take_along_dim(states, last, dim=1)  # [B, 1, hidden]

    def step(self, index: int, embedding: Tensor) -> Tensor:
        """Feed an embedding [B, 1, hidden] to a slot and return the slot's state [B, 1, hidden]."""
        column = self.start + index
        return self._forward(embedding, column, column + 1)

    def _forward(self, embeddings: Tensor, start: int, stop: int) -> Tensor:
        self.cache.write_at = self.columns[start:stop]
        return self.model.language_model(
            embeddings, self.mask[:, :, start:stop], self.positions[:, start:stop], self.cache
        )


@torch.inference_mode()
def decode_stepwise(model: EvlaModel, batch: ModelInput, slot_rule: SlotRule) -> Tensor:
    """Return the likeliest row of the action logits for each slot, feeding each to the next slot.

    Args:
        model: the network, in evaluation mode.
        batch: B samples with one instruction each.
        slot_rule: `causal` is autoregressive decoding; with `hidden` every query sees the prefix
            only, as the published training had it.

    Returns:
        [B, K * D] rows of the action logits.
    """
    slots = model.config.action.slots
    stepper = Stepper(model, model.assemble(batch), slot_rule, slots)
    rows = [model.action_logits(stepper.last_state).argmax(-1)]  # [B, 1]
    for index in range(slots - 1):
        embedding = model.language_model.embed(rows[-1] + model.action_tokenizer.first_id)
        rows.append(model.action_logits(stepper.step(index, embedding)).argmax(-1))
    return torch.cat(rows, dim=1)
