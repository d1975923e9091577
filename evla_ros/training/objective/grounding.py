# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Word grounding: a noun's token has to point at the patch that shows the thing.

Auxiliary heads that exist in training only. For data that says where things are (our simulators').
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import JointOutput
from evla_ros.training.samples.batch import Batch

_KEY = 64
_REACH_M = 0.2


class Grounding(nn.Module):
    """Pointer from nouns to patches, regression of the distance, a supervised attention head."""

    def __init__(self, model: EvlaModel, layer: int = 1) -> None:
        super().__init__()
        width = model.config.language_model.hidden_size
        self.query, self.key = nn.Linear(width, _KEY), nn.Linear(width, _KEY)
        self.place = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 3))
        self.side = model.config.image.size // model.config.backbones[0].patch_size
        self._weights: Tensor | None = None
        layers = model.language_model.body.layers
        layers[min(layer, len(layers) - 1)].self_attn.register_forward_hook(self._keep)

    def forward(self, output: JointOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the losses `pointer`, `place` and, with eager attention, `attention`."""
        patches = self.side**2
        seen = batch.noun > 0  # [B, R, 2]
        if not bool(seen.any()):
            zero = output.text_states.sum() * 0.0
            return {"pointer": zero, "place": zero}
        b, r, i = seen.nonzero(as_tuple=True)
        nouns = output.text_states[b, r, batch.noun[b, r, i]].float()  # [N, hidden]
        point = batch.point[b, r, i]  # [N, 5]
        column = (point[:, 0] * self.side).long().clamp(0, self.side - 1)
        row = (point[:, 1] * self.side).long().clamp(0, self.side - 1)
        target = row * self.side + column
        keys = self.key(output.image_states[:, :patches].float())[b]  # [N, patches, 64]
        logits = torch.einsum("nk,npk->np", self.query(nouns), keys) * _KEY**-0.5
        losses = {
            "pointer": functional.cross_entropy(logits, target),
            "place": functional.l1_loss(self.place(nouns), point[:, 2:] / _REACH_M),
        }
        if self._weights is not None:
            losses["attention"] = self._attention(output, batch, self._weights, (b, r, i), target)
            self._weights = None
        return losses

    def _attention(
        self,
        output: JointOutput,
        batch: Batch,
        kept: Tensor,
        at: tuple[Tensor, Tensor, Tensor],
        target: Tensor,
    ) -> Tensor:
        b, r, i = at
        texts, slots = output.text_states.shape[2], output.slot_states.shape[2]
        total = kept.shape[-1]
        shared = total - batch.noun.shape[1] * (texts - 1 + slots)
        columns = shared + r * (texts - 1 + slots) + batch.noun[b, r, i] - 1
        weights = kept[b, 0, columns]  # [N, keys] of head 0
        return -weights.gather(1, 1 + target[:, None]).float().clamp_min(1e-6).log().mean()

    def _keep(self, _module: nn.Module, _inputs: Any, outputs: Any) -> None:
        weights = outputs[1] if isinstance(outputs, tuple) else None
        self._weights = weights if self.training and weights is not None else None
