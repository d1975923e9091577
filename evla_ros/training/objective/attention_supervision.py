# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read where the first head of an attention layer looks in its last training forward.

The weights are computed beside the layer from its queries and keys, so the layer may use any
attention kernel.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from evla_ros.model.fusion import rotate


class FirstHead:
    """Head 0 of a decoder layer's self-attention."""

    def __init__(self, attention: nn.Module) -> None:
        """Register hooks that keep queries and keys of the layer's last training forward."""
        sizes: Any = attention
        self._head_dim: int = sizes.head_dim
        self._scaling: float = sizes.scaling
        self._kept: dict[str, Tensor] = {}
        attention.register_forward_pre_hook(self._keep_given, with_kwargs=True)
        for side, kept in (("q", "query"), ("k", "key")):
            norm = getattr(attention, f"{side}_norm", None)  # of each head (Qwen3)
            last = attention.get_submodule(f"{side}_proj") if norm is None else norm
            last.register_forward_hook(self._keeper(kept))

    @property
    def columns(self) -> int:
        """The length of the sequence, S."""
        return self._kept["key"].shape[1]

    def log_weights(self, rows: Tensor) -> Tensor:
        """Return the logarithms of the attention weights [B, M, S] of some rows.

        Args:
            rows: [B, M] positions in the sequence that attend.
        """
        kept, at = self._kept, rows[..., None]
        query, key = torch.take_along_dim(kept["query"], at, 1)[:, None], kept["key"][:, None]
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
                heads = output.flatten(2)  # [B, S, heads * head_dim]
                self._kept[name] = heads[..., : self._head_dim]

        return keep
