# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The decoder-only language model: body, embeddings, and logits of chosen rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    AutoModel,
    GemmaConfig,
    LlamaConfig,
    PhiConfig,
    PretrainedConfig,
    Qwen2Config,
)

from evla_ros.model.config import LanguageModelConfig
from evla_ros.model.key_value_cache import KeyValueCache

_FAMILIES: dict[str, type[PretrainedConfig]] = {
    "qwen2": Qwen2Config,
    "llama": LlamaConfig,
    "gemma": GemmaConfig,
    "phi": PhiConfig,
}


class LanguageModel(nn.Module):
    """A transformers decoder body with a tied or separate output table."""

    def __init__(self, config: LanguageModelConfig, attention: str = "sdpa") -> None:
        super().__init__()
        self.config = config
        self.body = AutoModel.from_config(family_config(config), attn_implementation=attention)
        if not config.tie_embeddings:
            has_bias = config.family == "phi"
            self.head = nn.Linear(config.hidden_size, config.vocabulary_rows, bias=has_bias)

    def embed(self, ids: Tensor) -> Tensor:
        """Token embeddings [..., hidden] of integer ids [...]."""
        return self.body.get_input_embeddings()(ids)

    def forward(
        self,
        embeddings: Tensor,  # [B, Q, hidden]
        mask: Tensor,  # [B, 1, Q, keys] additive
        positions: Tensor,  # [B, Q] rotary positions
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Last hidden states [B, Q, hidden]; with a cache, its other columns take part."""
        output = self.body(
            inputs_embeds=embeddings,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        return output.last_hidden_state

    def logits(self, hidden: Tensor, first_id: int, count: int) -> Tensor:
        """Logits [..., count] of ids first_id .. first_id + count - 1 only."""
        rows = slice(first_id, first_id + count)
        if self.config.tie_embeddings:
            return functional.linear(hidden, self.body.get_input_embeddings().weight[rows])
        bias = None if self.head.bias is None else self.head.bias[rows]
        return functional.linear(hidden, self.head.weight[rows], bias)

    def new_cache(self, batch: int, columns: int) -> KeyValueCache:
        """An empty static cache for `columns` positions, in the weights' dtype and device."""
        weight = self.body.get_input_embeddings().weight
        head_dim = self.config.head_dim or self.config.hidden_size // self.config.heads
        shape = (batch, self.config.key_value_heads, columns, head_dim)
        return KeyValueCache(self.config.layers, shape, weight.dtype, weight.device)

    def rebuild_buffers(self, device: torch.device) -> None:
        """Recompute the rotary frequencies, which are not stored, after building on `meta`."""
        with torch.device(device):
            self.body.rotary_emb = type(self.body.rotary_emb)(config=self.body.config)
        embedding = self.body.get_input_embeddings()
        if hasattr(embedding, "embed_scale"):  # Gemma scales its embeddings by a buffer
            scale = torch.tensor(self.config.hidden_size**0.5, device=device)
            embedding.embed_scale = scale


def family_config(config: LanguageModelConfig) -> PretrainedConfig:
    """The transformers configuration of the family, with every size given explicitly."""
    settings: dict[str, Any] = {
        "vocab_size": config.vocabulary_rows,
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.key_value_heads,
        "intermediate_size": config.mlp_size,
        "max_position_embeddings": config.max_positions,
        "tie_word_embeddings": config.tie_embeddings,
        "pad_token_id": None,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": config.rope_theta}
    if config.family == "phi":
        settings["layer_norm_eps"] = config.norm_eps
        rope["partial_rotary_factor"] = 0.5
    else:
        settings["rms_norm_eps"] = config.norm_eps
    if config.head_dim is not None:
        settings["head_dim"] = config.head_dim
    return _FAMILIES[config.family](**settings, rope_parameters=rope)
