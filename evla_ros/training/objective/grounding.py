# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Word grounding: a noun's token has to point at the patch that shows the thing.

Auxiliary heads that exist in training only. For data that says where things are (our simulators').
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import JointOutput
from evla_ros.training.objective.first_head import FirstHead
from evla_ros.training.samples.batch import Batch

_KEY = 64
_REACH_M = 0.2
_LEAST_LOG_WEIGHT = math.log(1e-6)
_NOWHERE = -1e4  # finite, so that the gradient of a sum over nothing is no NaN


class Grounding(nn.Module):
    """Pointer from nouns to patches, regression of the distance, two supervised attention heads.

    In the layer, nouns look at their patches; in the one after it, action slots look at the nouns.
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

    def forward(self, output: JointOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the losses `pointer`, `place`, `attention` (of nouns) and `slots`."""
        patches = self.side**2
        seen = batch.noun > 0  # [B, R, 2]
        if not bool(seen.any()):
            zero = output.text_states.sum() * 0.0
            return dict.fromkeys(("pointer", "place", "attention", "slots"), zero)
        b, r, i = seen.nonzero(as_tuple=True)
        nouns = output.text_states[b, r, batch.noun[b, r, i]].float()  # [N, hidden]
        point = batch.point[b, r, i]  # [N, 5]
        column = (point[:, 0] * self.side).long().clamp(0, self.side - 1)
        row = (point[:, 1] * self.side).long().clamp(0, self.side - 1)
        target = row * self.side + column
        keys = self.key(output.image_states[:, :patches].float())[b]  # [N, patches, 64]
        logits = torch.einsum("nk,npk->np", self.query(nouns), keys) * _KEY**-0.5
        starts = self._starts(output)
        at = starts[:, None] + batch.noun - 1  # [B, R, 2]; token 0 stands before the patches
        return {
            "pointer": functional.cross_entropy(logits, target),
            "place": functional.l1_loss(self.place(nouns), point[:, 2:] / _REACH_M),
            "attention": self._nouns_look(at, (b, r, i), target),
            "slots": self._slots_look(output, starts, at, seen),
        }

    def _starts(self, output: JointOutput) -> Tensor:
        """Return the column [R] of each instruction's first own token."""
        instructions, texts = output.text_states.shape[1:3]
        own = texts - 1 + output.slot_states.shape[2]
        shared = self._of_nouns.columns - instructions * own
        return shared + torch.arange(instructions, device=output.text_states.device) * own

    def _nouns_look(
        self, at: Tensor, named: tuple[Tensor, Tensor, Tensor], target: Tensor
    ) -> Tensor:
        """How little nouns look at their patches."""
        looks = self._of_nouns.log_weights(at.flatten(1)).unflatten(1, at.shape[1:])
        return -looks[named].gather(1, 1 + target[:, None]).clamp_min(_LEAST_LOG_WEIGHT).mean()

    def _slots_look(self, output: JointOutput, starts: Tensor, at: Tensor, seen: Tensor) -> Tensor:
        """How little action slots look at any noun of their own instruction."""
        texts, slots = output.text_states.shape[2], output.slot_states.shape[2]
        rows = starts[:, None] + texts - 1 + torch.arange(slots, device=starts.device)  # [R, N]
        looks = self._of_slots.log_weights(rows.flatten().expand(len(at), -1))
        looks = looks.unflatten(1, rows.shape)  # [B, R, N, S]
        at_nouns = looks.gather(3, at[:, :, None].expand(-1, -1, slots, -1))
        at_nouns = at_nouns.masked_fill(~seen[:, :, None], _NOWHERE)
        return -at_nouns.logsumexp(3)[seen.any(2)].clamp_min(_LEAST_LOG_WEIGHT).mean()
