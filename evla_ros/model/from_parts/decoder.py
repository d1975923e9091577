# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A language model of others under our names: what one is, and how tensors are renamed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from tokenizers import Tokenizer

from evla_ros.model.config import LanguageModelConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.stored import Stored

BODY, HEAD = "language_model.body.", "language_model.head."
TABLE = BODY + "embed_tokens.weight"
_UNUSED = ("rotary_emb.inv_freq", "masked_bias", "attn.bias")


@dataclass(frozen=True)
class Decoder:
    """One language model.

    Attributes:
        config: its sizes.
        tensors: its tensors under our names.
        tokenizer: of its text; None when its files hold none.
        projector: the projector of a vision-language model that it was part of.
        towers: timm towers of such a model, by kind.
        notes: what was done beyond renaming.
    """

    config: LanguageModelConfig
    tensors: dict[str, Stored]
    tokenizer: Tokenizer | None
    projector: dict[str, Stored] = field(default_factory=dict)
    towers: dict[str, dict[str, Stored]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def map_decoder(
    weights: Mapping[str, Stored], config: LanguageModelConfig, source: str
) -> dict[str, Stored]:
    """Rename a decoder's tensors; joint q, k, v and gate, up (Phi-3) are taken apart.

    Raises:
        CheckpointError: a tensor has an unknown name, or two that are to be one differ.
    """
    ours: dict[str, Stored] = {}
    for key, tensor in weights.items():
        if key.startswith("model."):
            ours.update(_split(key.removeprefix("model."), tensor, config))
        elif key.startswith("lm_head."):
            ours[HEAD + key.removeprefix("lm_head.")] = tensor
        elif not key.endswith(_UNUSED):
            raise CheckpointError(f"{source}: unknown key {key!r} in the language model")
    if TABLE not in ours:
        raise CheckpointError(f"{source}: lacks the tensor 'model.embed_tokens.weight'")
    head = HEAD + "weight"
    if not config.tie_embeddings and head not in ours:
        raise CheckpointError(
            f"{source}: config.json says that the embeddings are not tied, but there is no "
            "lm_head.weight"
        )
    copy = ours.pop(head, None) if config.tie_embeddings else None
    if copy is not None and not torch.equal(copy.read(), ours[TABLE].read()):
        raise CheckpointError(
            f"{source}: config.json says tie_word_embeddings, but lm_head.weight differs from "
            "the embeddings; set it to false in a copy of the folder, or take other weights"
        )
    return ours


def _split(key: str, tensor: Stored, config: LanguageModelConfig) -> dict[str, Stored]:
    """Return one tensor of the body under our names."""
    if key.endswith(_UNUSED):
        return {}
    layer, _, part = key.rpartition("self_attn.qkv_proj")
    if layer:
        head_dim = config.head_dim or config.hidden_size // config.heads
        rows = [head_dim * n for n in (config.heads, *[config.key_value_heads] * 2)]
        return _pieces(tensor, rows, [f"{layer}self_attn.{n}_proj{part}" for n in "qkv"])
    layer, _, part = key.rpartition("mlp.gate_up_proj")
    if layer:
        names = [f"{layer}mlp.{name}_proj{part}" for name in ("gate", "up")]
        return _pieces(tensor, [config.mlp_size] * 2, names)
    return {BODY + key: tensor}


def _pieces(tensor: Stored, rows: list[int], names: list[str]) -> dict[str, Stored]:
    starts = [sum(rows[:index]) for index in range(len(rows))]
    return {
        BODY + name: tensor.rows(start, start + count)
        for name, start, count in zip(names, starts, rows, strict=True)
    }
