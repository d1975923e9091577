# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Next-token loss on the answers of conversations: what phase 1 learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from evla_ros.model.evla_model import EvlaModel
from evla_ros.training.objective.losses import Sums

if TYPE_CHECKING:
    from evla_ros.training.samples.conversation_stream import TextBatch


class TextObjective:
    """Cross-entropy of the answers' tokens."""

    def __init__(self, model: EvlaModel, rows: int) -> None:
        """Take the network, and how many ids may be a token of text."""
        self._model, self._rows = model, rows

    def prepared(self, batch: TextBatch, _step: int) -> TextBatch:
        """Return the batch as it is."""
        return batch

    def labels(self, batch: TextBatch) -> Tensor:
        """Return nothing: there is no auxiliary loss."""
        return batch.count.new_zeros(0).float()

    def losses(
        self, batch: TextBatch, _step: int, _labels: Tensor | None = None
    ) -> tuple[Sums, Tensor]:
        """Return the sums over the learned tokens; there is no auxiliary loss."""
        given = (batch.inputs, batch.learned, self._rows)
        loss, right = self._model(EvlaModel.forward_text, *given)
        count = batch.count
        return Sums(loss, count, right, loss.new_zeros(0), count), loss.new_zeros(())


def text_rows(model: EvlaModel, text_ids: int) -> int:
    """Return how many ids may be a token of text.

    Args:
        model: The network.
        text_ids: Ids that its tokenizer may give. Action tokens behind them are no text; those
            among them are.
    """
    first = model.action_tokenizer.first_id
    return first if text_ids <= first else model.config.language_model.vocabulary_rows


@torch.no_grad()
def score(model: EvlaModel, batch: TextBatch, rows: int) -> Tensor:
    """Return [loss, learned tokens, right ones] of a batch."""
    loss, right = model(EvlaModel.forward_text, batch.inputs, batch.learned, rows)
    return torch.stack([loss, batch.count.float(), right.float()])
