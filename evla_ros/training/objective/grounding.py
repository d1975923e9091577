# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Word grounding: a loss that makes the token of a noun point at the image patch with that object.

The heads exist in training only. They need data that records where objects are, as the simulators
of this package do.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import JointOutput
from evla_ros.training.objective.attention_supervision import FirstHead
from evla_ros.training.samples.batch import Batch

_KEY = 64
_REACH_M = 0.2
_LEAST_LOG_WEIGHT = math.log(1e-6)
_NOWHERE = -1e4  # finite, because -inf makes the gradient of an empty sum NaN


class Grounding(nn.Module):
    """Grounding losses: noun to patch, noun to position, and two supervised attention heads.

    In decoder layer `layer`, nouns are to attend to their patches; in the next layer, action slots
    are to attend to the nouns.
    """

    def __init__(self, model: EvlaModel, layer: int = 1) -> None:
        super().__init__()
        width = model.config.language_model.hidden_size
        self.query, self.key = nn.Linear(width, _KEY), nn.Linear(width, _KEY)
        self.place = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 3))
        self.side = model.config.image.size // model.config.backbones[0].patch_size
        layers = model.language_model.body.layers
        last = len(layers) - 1
        self._of_nouns = FirstHead(layers[min(layer, last)].self_attn)
        self._of_slots = FirstHead(layers[min(layer + 1, last)].self_attn)

    def forward(
        self, output: JointOutput, batch: Batch, counts: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the losses by name, each a scalar.

        Every noun takes part, and what is not labelled counts nothing: the ranks of a sharded run
        have to use the same weights, and a GPU need not wait for the host to look.

        Args:
            output: What the network returned for the batch.
            batch: Holds the nouns and where their objects are.
            counts: [2] what the sums are divided by, see `label_counts`; None takes those of the
                batch.

        Returns:
            `pointer` (noun to patch), `place` (position relative to the tool), `attention` (nouns
                to patches) and `slots` (action slots to nouns); all 0 when no noun is labelled.
        """
        nouns_seen, told = (label_counts(batch) if counts is None else counts).clamp_min(1)
        patches = self.side**2
        seen = batch.noun > 0  # [B, R, 2]
        at_noun = batch.noun[..., None].expand(-1, -1, -1, output.text_states.shape[-1])
        nouns = output.text_states.gather(2, at_noun).float()  # [B, R, 2, hidden]
        point = batch.point  # [B, R, 2, 5]
        column = (point[..., 0] * self.side).long().clamp(0, self.side - 1)
        row = (point[..., 1] * self.side).long().clamp(0, self.side - 1)
        target = row * self.side + column
        keys = self.key(output.image_states[:, :patches].float())  # [B, patches, 64]
        logits = torch.einsum("brik,bpk->brip", self.query(nouns), keys) * _KEY**-0.5
        starts = self._starts(output)
        at = starts[:, None] + batch.noun - 1  # [B, R, 2]; token 0 precedes the patches
        away = (self.place(nouns) - point[..., 2:] / _REACH_M).abs().mean(-1)
        pointed = logits.log_softmax(-1).gather(-1, target[..., None])[..., 0]
        return {
            "pointer": -_kept(pointed, seen).sum() / nouns_seen,
            "place": _kept(away, seen).sum() / nouns_seen,
            "attention": _kept(self._nouns_look(at, target), seen).sum() / nouns_seen,
            "slots": self._slots_look(output, starts, at, seen) / told,
        }

    def _starts(self, output: JointOutput) -> Tensor:
        """Return the position [R] in the sequence at which each instruction's own tokens start."""
        instructions, texts = output.text_states.shape[1:3]
        own = texts - 1 + output.slot_states.shape[2]
        shared = self._of_nouns.columns - instructions * own
        return shared + torch.arange(instructions, device=output.text_states.device) * own

    def _nouns_look(self, at: Tensor, target: Tensor) -> Tensor:
        """Return the losses [B, R, 2] of nouns that do not attend to their patches."""
        looks = self._of_nouns.log_weights(at.flatten(1)).unflatten(1, at.shape[1:])
        return -looks.gather(3, 1 + target[..., None])[..., 0].clamp_min(_LEAST_LOG_WEIGHT)

    def _slots_look(self, output: JointOutput, starts: Tensor, at: Tensor, seen: Tensor) -> Tensor:
        """Return the loss of action slots that attend to no noun, summed over instructions."""
        texts, slots = output.text_states.shape[2], output.slot_states.shape[2]
        rows = starts[:, None] + texts - 1 + torch.arange(slots, device=starts.device)  # [R, N]
        looks = self._of_slots.log_weights(rows.flatten().expand(len(at), -1))
        looks = looks.unflatten(1, rows.shape)  # [B, R, N, S]
        at_nouns = looks.gather(3, at[:, :, None].expand(-1, -1, slots, -1))
        at_nouns = at_nouns.masked_fill(~seen[:, :, None], _NOWHERE)
        missed = -at_nouns.logsumexp(3).clamp_min(_LEAST_LOG_WEIGHT)  # [B, R, N]
        return _kept(missed.mean(2), seen.any(2)).sum()


def label_counts(batch: Batch) -> Tensor:
    """Return how many nouns of a batch are labelled, and how many of its instructions have one."""
    seen = batch.noun > 0  # [B, R, 2]
    return torch.stack([seen.sum(), seen.any(2).sum()]).float()


def _kept(losses: Tensor, seen: Tensor) -> Tensor:
    """Return the losses of what is labelled, 0 for the rest."""
    return losses.where(seen, 0.0)
