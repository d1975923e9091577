# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Language models of others in our decoder: the logits of transformers, from folders and GGUF."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from parts import DECODERS, LLM, ROWS, write_decoder
from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.model.attention_mask import additive
from evla_ros.model.errors import CheckpointError
from evla_ros.model.from_parts.decoder import Decoder
from evla_ros.model.from_parts.decoder_files import open_decoder
from evla_ros.model.language_model import LanguageModel


def built(decoder: Decoder) -> LanguageModel:
    """Our decoder with these tensors."""
    model = LanguageModel(decoder.config).eval()
    tensors = {k.removeprefix("language_model."): t.read() for k, t in decoder.tensors.items()}
    model.load_state_dict(tensors)
    return model


def causal_logits(model: LanguageModel, ids: Tensor) -> Tensor:
    """Logits [1, T, rows] of a plain causal forward."""
    columns = ids.shape[1]
    mask = additive(torch.ones(1, columns, columns, dtype=torch.bool).tril(), torch.float32)
    states = model(model.embed(ids), mask, torch.arange(columns)[None])
    return model.logits(states, 0, model.config.vocabulary_rows)


@pytest.mark.parametrize("family", list(DECODERS))
@torch.inference_mode()
def test_folder_agrees_with_transformers(tmp_path: Path, family: str, tokenizer: Tokenizer) -> None:
    theirs = write_decoder(tmp_path / family, family, tokenizer)
    decoder = open_decoder(tmp_path / family, None)
    assert decoder.tokenizer is not None
    ids = torch.randint(0, ROWS, (1, 40), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        causal_logits(built(decoder), ids), theirs(ids).logits, atol=2e-5, rtol=1e-4
    )


def with_settings(folder: Path, **changes: object) -> Path:
    """Change the config.json of a folder."""
    file = folder / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model_type": "mamba"}, "the language model 'mamba' is not supported"),
        ({"model_type": "gemma2"}, "'gemma2' is not supported; did you mean 'gemma'"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rope type 'yarn' is not built"),
        ({"attention_bias": True}, "attention_bias True: llama is built with False"),
        ({"hidden_act": "relu"}, "activation 'relu': llama has 'silu'"),
        ({"sliding_window": 512}, "sliding_window 512"),
        ({"num_attention_heads": 3}, "heads 3 is not a multiple of key_value_heads 2"),
        ({"rms_norm_eps": None}, "norm_eps"),
        ({"tie_word_embeddings": False}, r"no lm_head\.weight"),
    ],
)
def test_what_the_decoder_cannot_be_is_refused(
    tmp_path: Path, tokenizer: Tokenizer, changes: dict[str, object], sentence: str
) -> None:
    write_decoder(tmp_path / "llm", "llama", tokenizer)
    with pytest.raises(CheckpointError, match=sentence):
        open_decoder(with_settings(tmp_path / "llm", **changes), None)


def test_a_head_that_differs_from_tied_embeddings_is_refused(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    write_decoder(tmp_path / "llm", "phi3", tokenizer)
    with pytest.raises(CheckpointError, match=r"lm_head\.weight differs from the embeddings"):
        open_decoder(with_settings(tmp_path / "llm", tie_word_embeddings=True), None)


def gguf_names(key: str) -> str:
    """The name that llama.cpp gives a tensor of a Llama-like model."""
    for old, new in (
        ("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"),
        ("lm_head", "output"), ("model.layers.", "blk."), ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"), ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"), ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"), ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"),
    ):  # fmt: skip
        key = key.replace(old, new)
    return key


def write_gguf(path: Path, theirs: torch.nn.Module, family: str, tokenizer: Tokenizer) -> Path:
    """A GGUF file as llama.cpp's converter writes it: Llama's rows reordered, Gemma's norms + 1."""
    gguf = pytest.importorskip("gguf", reason="GGUF files need the package gguf")
    config = theirs.config
    writer = gguf.GGUFWriter(str(path), family)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim if hasattr(config, "head_dim") else 8)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(sorted(vocabulary, key=vocabulary.__getitem__))
    writer.add_token_types([3] + [1] * (len(vocabulary) - 1))
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    for key, tensor in theirs.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = tensor.float()
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
        count = next((n for name, n in heads.items() if name in key), 0)
        if family == "llama" and count:
            values = values.unflatten(0, (count, 2, -1)).transpose(1, 2).reshape(values.shape)
        if family == "gemma" and "norm" in key:
            values = values + 1.0
        writer.add_tensor(gguf_names(key), values.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "gemma"])
@torch.inference_mode()
def test_gguf_agrees_with_transformers(tmp_path: Path, family: str, tokenizer: Tokenizer) -> None:
    theirs = write_decoder(tmp_path / family, family, tokenizer)
    path = write_gguf(tmp_path / "llm.gguf", theirs, family, tokenizer)
    decoder = open_decoder(path, None)
    ids = torch.randint(0, ROWS, (1, 40), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        causal_logits(built(decoder), ids), theirs(ids).logits, atol=2e-5, rtol=1e-4
    )
    text = "In: What action should the robot take to lift 12 blocks?\nOut: übrigens"
    assert decoder.tokenizer is not None
    assert decoder.tokenizer.encode(text).ids == tokenizer.encode(text).ids


def test_damaged_gguf_files_are_refused(tmp_path: Path, tokenizer: Tokenizer) -> None:
    theirs = write_decoder(tmp_path / "llm", "llama", tokenizer)
    path = write_gguf(tmp_path / "llm.gguf", theirs, "llama", tokenizer)
    whole = path.read_bytes()
    for cut in (3, 20, 200, len(whole) - 50):
        path.write_bytes(whole[:cut])
        with pytest.raises(CheckpointError, match="not a readable GGUF file"):
            open_decoder(path, None)
    path.write_bytes(whole.replace(b"gpt-2", b"gpt-9"))
    with pytest.raises(CheckpointError, match=r"'gpt-9'.*--tokenizer"):
        open_decoder(path, None)
    path.write_bytes(whole.replace(b"llama", b"mamba"))
    with pytest.raises(CheckpointError, match="'mamba' is not read from GGUF"):
        open_decoder(path, None)
    assert LLM["vocab_size"] == ROWS
