# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Word grounding: a noun's token has to point at the patch that shows the thing.

Auxiliary heads that exist in training only. For data that says where things are (our simulators').
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.fusion import rotate
from evla_ros.model.model_input import JointOutput
from evla_ros.training.samples.batch import Batch

_KEY = 64
_REACH_M = 0.2
_LEAST_LOG_WEIGHT = math.log(1e-6)


class Grounding(nn.Module):
    """Pointer from nouns to patches, regression of the distance, a supervised attention head."""

    def __init__(self, model: EvlaModel, layer: int = 1) -> None:
        super().__init__()
        width = model.config.language_model.hidden_size
        self.query, self.key = nn.Linear(width, _KEY), nn.Linear(width, _KEY)
        self.place = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 3))
        self.side = model.config.image.size // model.config.backbones[0].patch_size
        layers = model.language_model.body.layers
        attention = layers[min(layer, len(layers) - 1)].self_attn
        self._head_dim, self._scaling = attention.head_dim, attention.scaling
        self._kept: dict[str, Tensor] = {}  # of the last training forward
        attention.register_forward_pre_hook(self._keep_given, with_kwargs=True)
        attention.q_proj.register_forward_hook(self._keep_query)
        attention.k_proj.register_forward_hook(self._keep_key)

    def forward(self, output: JointOutput, batch: Batch) -> dict[str, Tensor]:
        """Return the losses `pointer`, `place` and `attention`."""
        patches = self.side**2
        seen = batch.noun > 0  # [B, R, 2]
        if not bool(seen.any()):
            zero = output.text_states.sum() * 0.0
            return {"pointer": zero, "place": zero, "attention": zero}
        b, r, i = seen.nonzero(as_tuple=True)
        nouns = output.text_states[b, r, batch.noun[b, r, i]].float()  # [N, hidden]
        point = batch.point[b, r, i]  # [N, 5]
        column = (point[:, 0] * self.side).long().clamp(0, self.side - 1)
        row = (point[:, 1] * self.side).long().clamp(0, self.side - 1)
        target = row * self.side + column
        keys = self.key(output.image_states[:, :patches].float())[b]  # [N, patches, 64]
        logits = torch.einsum("nk,npk->np", self.query(nouns), keys) * _KEY**-0.5
        return {
            "pointer": functional.cross_entropy(logits, target),
            "place": functional.l1_loss(self.place(nouns), point[:, 2:] / _REACH_M),
            "attention": self._attention(output, batch, (b, r, i), target),
        }

    def _attention(
        self, output: JointOutput, batch: Batch, at: tuple[Tensor, Tensor, Tensor], target: Tensor
    ) -> Tensor:
        """How little head 0 of the layer looks from a noun at its patch.

        Only the rows of the nouns are computed, so that the layer itself may use any kernel.
        """
        kept = self._kept
        b, r, i = at
        texts, slots = output.text_states.shape[2], output.slot_states.shape[2]
        shared = kept["key"].shape[1] - batch.noun.shape[1] * (texts - 1 + slots)
        columns = shared + r * (texts - 1 + slots) + batch.noun[b, r, i] - 1
        # Head 0 before rotary positions: [N, one head, one row, width] and [B, one head, S, width].
        query = kept["query"][b, columns, : self._head_dim][:, None, None]
        key = kept["key"][:, None, :, : self._head_dim]
        cosines, sines = (kept[name].expand(len(key), -1, -1) for name in ("cosines", "sines"))
        query = rotate(query, cosines[b, columns][:, None], sines[b, columns][:, None])
        key = rotate(key, cosines, sines)
        scores = torch.einsum("nk,nsk->ns", query[:, 0, 0].float(), key[b, 0].float())
        scores = scores * self._scaling + kept["mask"][b, 0, columns].float()
        looks = scores.log_softmax(dim=-1).gather(1, 1 + target[:, None])
        return -looks.clamp_min(_LEAST_LOG_WEIGHT).mean()

    def _keep_given(self, layer: nn.Module, _inputs: Any, given: dict[str, Any]) -> None:
        if layer.training:
            cosines, sines = given["position_embeddings"]
            self._kept.update(cosines=cosines, sines=sines, mask=given["attention_mask"])

    def _keep_query(self, layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        if layer.training:
            self._kept["query"] = output

    def _keep_key(self, layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        if layer.training:
            self._kept["key"] = output
