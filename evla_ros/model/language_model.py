# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The decoder-only language model: its body, its embeddings, and the logits of chosen ids."""

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
    Qwen3Config,
)

from evla_ros.model.attention_kernel import is_causal_without_mask, registered_name
from evla_ros.model.config import LanguageModelConfig

_FAMILIES: dict[str, type[PretrainedConfig]] = {
    "qwen2": Qwen2Config,
    "qwen3": Qwen3Config,
    "llama": LlamaConfig,
    "gemma": GemmaConfig,
    "phi": PhiConfig,
}


class LanguageModel(nn.Module):
    """A decoder of transformers with a tied or a separate output table."""

    def __init__(self, config: LanguageModelConfig, attention: str = "sdpa") -> None:
        super().__init__()
        self.config = config
        kernel = registered_name(attention)
        self.body = AutoModel.from_config(family_config(config), attn_implementation=kernel)
        if not config.tie_embeddings:
            has_bias = config.family == "phi"
            self.head = nn.Linear(config.hidden_size, config.vocabulary_rows, bias=has_bias)

        self.own_rows: OwnRows | None = None

    @property
    def is_causal_without_mask(self) -> bool:
        """Whether a forward without a mask lets each column see itself and those before it."""
        return is_causal_without_mask(self.body.config)

    def separate_rows(self, first_id: int, count: int) -> None:
        """Give some rows of the tables parameters of their own, so that they alone can learn."""
        table = self.body.get_input_embeddings().weight
        tied = self.config.tie_embeddings
        self.own_rows = OwnRows(first_id, count, table, None if tied else self.head.weight)

    def embed(self, ids: Tensor) -> Tensor:
        """Return the embeddings [..., hidden] of token ids [...]."""
        table = self.body.get_input_embeddings()
        if self.own_rows is None:
            return table(ids)
        return self.own_rows.embed(ids, table(ids), getattr(table, "embed_scale", None))

    def forward(
        self,
        embeddings: Tensor,  # [B, Q, hidden]
        mask: Tensor | None,  # [B, 1, Q, keys] additive; None: see `is_causal_without_mask`
        positions: Tensor,  # [B, Q] rotary positions
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Return the last hidden states [B, Q, hidden] of Q columns.

        With a cache, the columns that it holds take part as keys and values.
        """
        output = self.body(
            inputs_embeds=embeddings,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        return output.last_hidden_state

    def logits(self, hidden: Tensor, first_id: int, count: int) -> Tensor:
        """Return the logits of a few ids only.

        Args:
            hidden: [..., hidden] states.
            first_id: the first id.
            count: how many ids.

        Returns:
            [..., count].
        """
        rows = slice(first_id, first_id + count)
        tied = self.config.tie_embeddings
        table = self.body.get_input_embeddings().weight if tied else self.head.weight
        weight = table[rows]
        if self.own_rows is not None:
            weight = self.own_rows.output_rows(weight, first_id)
        bias = None if tied or self.head.bias is None else self.head.bias[rows]
        return functional.linear(hidden, weight, bias)

    def new_cache(self, batch: int, columns: int) -> KeyValueCache:
        """Return an empty cache for some columns, in the weights' dtype and on their device."""
        weight = self.body.get_input_embeddings().weight
        head_dim = self.config.head_dim or self.config.hidden_size // self.config.heads
        shape = (batch, self.config.key_value_heads, columns, head_dim)
        return KeyValueCache(self.config.layers, shape, weight.dtype, weight.device)

    def rebuild_buffers(self, device: torch.device) -> None:
        """Recompute what is not stored with the weights, after building on the device `meta`.

        These are the rotary frequencies, and the scale of Gemma's embeddings.
        """
        with torch.device(device):
            self.body.rotary_emb = type(self.body.rotary_emb)(config=self.body.config)
        embedding = self.body.get_input_embeddings()
        if hasattr(embedding, "embed_scale"):  # Gemma scales its embeddings by a buffer
            scale = torch.tensor(self.config.hidden_size**0.5, device=device)
            embedding.embed_scale = scale


class OwnRows(nn.Module):
    """Rows of the embedding table, and of an untied output table, that learn apart from the rest.

    The tables stay as they are; what they hold in these rows is not used.
    """

    def __init__(self, first_id: int, count: int, table: Tensor, head: Tensor | None) -> None:
        super().__init__()
        self.first_id = first_id
        rows = slice(first_id, first_id + count)
        self.input = nn.Parameter(table[rows].detach().clone())
        self.output = None if head is None else nn.Parameter(head[rows].detach().clone())

    def embed(self, ids: Tensor, others: Tensor, scale: Tensor | None) -> Tensor:
        """Return the embeddings of ids, `others` where they are not ours; Gemma scales them."""
        at = ids - self.first_id
        ours = (at >= 0) & (at < len(self.input))
        own = functional.embedding(at.clamp(0, len(self.input) - 1), self.input)
        own = own if scale is None else own * scale.to(own.dtype)
        return torch.where(ours[..., None], own.to(others.dtype), others)

    def output_rows(self, weight: Tensor, first_id: int) -> Tensor:
        """Return the rows of the output table from `first_id` on with ours in their place."""
        own = self.input if self.output is None else self.output
        start, stop = self.first_id - first_id, self.first_id - first_id + len(own)
        if stop <= 0 or start >= len(weight):
            return weight
        piece = own[max(0, -start) : len(own) - max(0, stop - len(weight))]
        return torch.cat([weight[: max(0, start)], piece, weight[min(stop, len(weight)) :]])

    def of_tables(self, prefix: str) -> dict[str, tuple[slice, Tensor]]:
        """Return which rows of the tables are to hold what, by the names of the tables."""
        rows = slice(self.first_id, self.first_id + len(self.input))
        tables = {"body.embed_tokens.weight": self.input, "head.weight": self.output}
        return {prefix + name: (rows, own) for name, own in tables.items() if own is not None}


def family_config(config: LanguageModelConfig) -> PretrainedConfig:
    """Return the configuration that transformers takes, with every size given explicitly."""
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
    if config.rope_scaling is not None:
        scaling = config.rope_scaling.model_dump()
        scaling["original_max_position_embeddings"] = scaling.pop("original_max_positions")
        rope.update(scaling, rope_type="llama3")
    fraction = config.rotary_fraction or (0.5 if config.family == "phi" else 1.0)
    if fraction != 1.0:
        rope["partial_rotary_factor"] = fraction
    norm = "layer_norm_eps" if config.family == "phi" else "rms_norm_eps"
    settings[norm] = config.norm_eps
    if config.head_dim is not None:
        settings["head_dim"] = config.head_dim
    return _FAMILIES[config.family](**settings, rope_parameters=rope)


class KeyValueCache:
    """Keys and values of every layer, [B, kv_heads, columns, head_dim] each.

    The attention mask decides which columns are seen. Set `write_at` to the columns that the next
    forward computes; the layers of transformers call `update`.
    """

    def __init__(
        self, layers: int, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device
    ) -> None:
        self.keys = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(layers)]
        self.values = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(layers)]
        self.write_at = torch.zeros(0, dtype=torch.long, device=device)

    @torch.compiler.disable  # the layer number would compile every layer anew
    def update(
        self, key: Tensor, value: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write the new columns of a layer and return all of its columns (keys, values)."""
        keys, values = self.keys[layer_idx], self.values[layer_idx]
        keys.index_copy_(2, self.write_at, key.to(keys.dtype))  # autocast narrows the new ones
        values.index_copy_(2, self.write_at, value.to(values.dtype))
        return keys, values
