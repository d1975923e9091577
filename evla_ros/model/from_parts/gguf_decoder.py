# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The language model of a GGUF file: sizes, tensors under our names, and its tokenizer."""

from __future__ import annotations

import re
from pathlib import Path

from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.errors import nearest
from evla_ros.model.config import LanguageModelConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.from_parts.decoder import BODY, HEAD, TABLE, Decoder
from evla_ros.model.from_parts.decoder_settings import checked
from evla_ros.model.from_parts.gguf_file import GgufFile
from evla_ros.model.from_parts.gguf_tokenizer import gguf_tokenizer
from evla_ros.model.stored import Stored

FAMILIES = ("llama", "qwen2", "qwen3", "gemma")
_THETA = 10000.0  # of a file that does not say it
_OUTER = {
    "token_embd.weight": TABLE,
    "output_norm.weight": BODY + "norm.weight",
    "output.weight": HEAD + "weight",
}
_INNER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_LAYER = re.compile(r"blk\.(\d+)\.([a-z_]+)\.(weight|bias)$")


def open_gguf(path: Path, tokenizer: Tokenizer | None) -> Decoder:
    """Open the language model of a GGUF file; its weights become float32.

    Args:
        path: the file.
        tokenizer: goes before the file's own.

    Raises:
        CheckpointError: the file is damaged, or of a family that is not built.
    """
    file = GgufFile(path)
    family = str(file.value("general.architecture"))
    if family not in FAMILIES:
        raise CheckpointError(
            f"{file.source}: the language model {family!r} is not read from GGUF; "
            f"{nearest(family, FAMILIES)}. Take its Hugging Face folder"
        )
    config = _settings(file, family)
    tensors = dict(_ours(key, tensor, config, file) for key, tensor in file.tensors.items())
    if TABLE not in tensors:
        raise CheckpointError(f"{file.source}: lacks the tensor 'token_embd.weight'")
    kinds = file.metadata.get("general.file_type", "?")
    note = f"dequantised to float32 (ggml file type {kinds})"
    return Decoder(config, tensors, tokenizer or gguf_tokenizer(file), notes=(note,))


def _settings(file: GgufFile, family: str) -> LanguageModelConfig:
    def of(key: str) -> int:
        return int(file.value(f"{family}.{key}"))

    heads, table = of("attention.head_count"), file.tensors.get("token_embd.weight")
    given = file.metadata.get(f"{family}.attention.key_length")
    head_dim = int(given) if given else of("embedding_length") // max(1, heads)
    rotated = int(file.metadata.get(f"{family}.rope.dimension_count", head_dim))
    if rotated != head_dim:
        raise CheckpointError(
            f"{file.source}: rotary positions turn {rotated} of {head_dim} channels"
        )
    scaling = file.metadata.get(f"{family}.rope.scaling.type", "none")
    if "rope_freqs.weight" in file.tensors or scaling != "none":
        raise CheckpointError(
            f"{file.source}: its rotary positions are stretched; take its Hugging Face folder, "
            "whose config.json says how"
        )
    data = {
        "family": family,
        "vocabulary_rows": table.shape[0] if table else 0,
        "hidden_size": of("embedding_length"),
        "layers": of("block_count"),
        "heads": heads,
        "key_value_heads": int(file.metadata.get(f"{family}.attention.head_count_kv", heads)),
        "mlp_size": of("feed_forward_length"),
        "head_dim": head_dim,
        "rope_theta": float(file.metadata.get(f"{family}.rope.freq_base", _THETA)),
        "norm_eps": float(f"{file.value(f'{family}.attention.layer_norm_rms_epsilon'):.6g}"),
        "tie_embeddings": "output.weight" not in file.tensors,
        "max_positions": of("context_length"),
    }
    return checked(data, file.source)


def _ours(
    key: str, tensor: Stored, config: LanguageModelConfig, file: GgufFile
) -> tuple[str, Stored]:
    """Return a tensor under our name, with what the converter to GGUF did to it undone."""
    layer = _LAYER.match(key)
    if layer and layer[2] in _INNER:
        name = f"{BODY}layers.{layer[1]}.{_INNER[layer[2]]}.{layer[3]}"
    elif key in _OUTER:
        name = _OUTER[key]
    else:
        raise CheckpointError(f"{file.source}: unknown tensor {key!r}")
    heads = {"attn_q": config.heads, "attn_k": config.key_value_heads}
    if config.family == "llama" and layer and layer[2] in heads:
        count = heads[layer[2]]
        tensor = tensor.then(lambda t: _halves(t, count), *tensor.shape)
    elif config.family == "gemma" and key.endswith("norm.weight"):
        tensor = tensor.then(lambda t: t - 1.0, *tensor.shape)  # stored as 1 + weight
    return name, tensor


def _halves(weight: Tensor, heads: int) -> Tensor:
    """Undo the order of a Llama's rows: pairs that rotate together stand side by side in GGUF."""
    pairs = weight.unflatten(0, (heads, -1, 2))
    return pairs.transpose(1, 2).reshape(weight.shape)
