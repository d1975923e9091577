# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One action token at a time over a static key/value cache: the way of OpenVLA and old EVLA."""

from __future__ import annotations

import torch
from torch import Tensor

from evla_ros.model.attention_mask import SlotRule, additive, visible
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.key_value_cache import KeyValueCache
from evla_ros.model.model_input import ModelInput
from evla_ros.model.prefix import Prefix, assemble


class Stepper:
    """A prefilled prefix and the fixed-shape step over its slots; one instruction a sample."""

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
        """State [B, 1, hidden] of slot `index` fed with `embedding` [B, 1, hidden]."""
        column = self.start + index
        return self._forward(embedding, column, column + 1)

    def _forward(self, embeddings: Tensor, start: int, stop: int) -> Tensor:
        self.cache.write_at = self.columns[start:stop]
        return self.model.language_model(
            embeddings, self.mask[:, :, start:stop], self.positions[:, start:stop], self.cache
        )


@torch.inference_mode()
def decode_stepwise(model: EvlaModel, batch: ModelInput, slot_rule: SlotRule) -> Tensor:
    """Greedy rows [B, K*D] of the action logits, each fed back as the next input.

    `causal`: autoregressive. `hidden`: first-order, as the published training had it; every query
    sees the prefix only.
    """
    slots = model.config.action.slots
    stepper = Stepper(model, assemble(model, batch), slot_rule, slots)
    rows = [model.action_logits(stepper.last_state).argmax(-1)]  # [B, 1]
    for index in range(slots - 1):
        embedding = model.language_model.embed(rows[-1] + model.action_tokenizer.first_id)
        rows.append(model.action_logits(stepper.step(index, embedding)).argmax(-1))
    return torch.cat(rows, dim=1)
