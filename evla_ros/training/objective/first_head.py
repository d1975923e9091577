# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the first head of an attention layer looks, for a few rows of its last training forward.

Computed beside the layer from its own queries and keys, so that the layer may use any kernel.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from evla_ros.model.fusion import rotate


class FirstHead:
    """Head 0 of a decoder layer's self-attention."""

    def __init__(self, attention: nn.Module) -> None:
        """Watch the layer; what it keeps is of the last forward in training mode."""
        self._head_dim, self._scaling = attention.head_dim, attention.scaling
        self._kept: dict[str, Tensor] = {}
        attention.register_forward_pre_hook(self._keep_given, with_kwargs=True)
        for name, kept in (("q_proj", "query"), ("k_proj", "key")):
            attention.get_submodule(name).register_forward_hook(self._keeper(kept))

    @property
    def columns(self) -> int:
        """S, the length of the sequence."""
        return self._kept["key"].shape[1]

    def log_weights(self, rows: Tensor) -> Tensor:
        """Rows [B, M] -> logarithms of their attention weights [B, M, S]."""
        kept, at = self._kept, rows[..., None]
        query = torch.take_along_dim(kept["query"][..., : self._head_dim], at, 1)[:, None]
        key = kept["key"][:, None, :, : self._head_dim]
        cosines, sines = (kept[name].expand(len(key), -1, -1) for name in ("cosines", "sines"))
        query = rotate(query, *(torch.take_along_dim(x, at, 1) for x in (cosines, sines)))
        scores = (query @ rotate(key, cosines, sines).transpose(-1, -2))[:, 0].float()
        hidden = torch.take_along_dim(kept["mask"].expand(len(key), -1, -1, -1)[:, 0], at, 1)
        return (scores * self._scaling + hidden.float()).log_softmax(dim=-1)

    def _keep_given(self, layer: nn.Module, _inputs: Any, given: dict[str, Any]) -> None:
        if layer.training:
            cosines, sines = given["position_embeddings"]
            self._kept.update(cosines=cosines, sines=sines, mask=given["attention_mask"])

    def _keeper(self, name: str) -> Any:
        def keep(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
            if layer.training:
                self._kept[name] = output

        return keep
