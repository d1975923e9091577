# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny parts in the layouts of others: towers, language models and tokenizers on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import (
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    GemmaConfig,
    GemmaForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    SiglipVisionConfig,
    SiglipVisionModel,
)

PATCH, SIDE, ROWS = 14, 56, 320
TOWER = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "patch_size": PATCH}
LLM = {
    "vocab_size": ROWS,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
}
FEW = {"num_key_value_heads": 2}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
QUARTER = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.25}
DECODERS: dict[str, Any] = {
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**LLM, **FEW, tie_word_embeddings=True)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**LLM, **FEW, head_dim=16)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**LLM, **FEW, tie_word_embeddings=True)),
    "llama3": lambda: LlamaForCausalLM(
        LlamaConfig(**LLM, **FEW, rope_parameters=LLAMA3, max_position_embeddings=128)
    ),
    "gemma": lambda: GemmaForCausalLM(GemmaConfig(**LLM, **FEW, head_dim=16)),
    "phi": lambda: PhiForCausalLM(PhiConfig(**LLM)),
    "phi2": lambda: PhiForCausalLM(
        PhiConfig(
            **LLM,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 1e4,
                "partial_rotary_factor": 0.25,
            },
        )
    ),
    "phi3": lambda: Phi3ForCausalLM(Phi3Config(**LLM, **FEW)),
}


def shaken(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every parameter numbers that matter: biases and norms too."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            spread = 0.3 if parameter.dim() < 2 else 0.15
            parameter.add_(spread * torch.randn_like(parameter))
    return model.eval()


def write_dino(folder: Path, image_size: int = SIDE, **settings: Any) -> nn.Module:
    """A Dinov2WithRegisters on the disk."""
    config = Dinov2WithRegistersConfig(**TOWER, image_size=image_size, **settings)
    model = shaken(Dinov2WithRegistersModel(config))
    model.save_pretrained(folder)
    return model


def write_siglip(folder: Path, image_size: int = SIDE, **settings: Any) -> nn.Module:
    """A Siglip vision tower on the disk."""
    config = SiglipVisionConfig(**TOWER, image_size=image_size, intermediate_size=40, **settings)
    model = shaken(SiglipVisionModel(config))
    model.save_pretrained(folder)
    return model


def write_decoder(folder: Path, family: str, tokenizer: Tokenizer) -> nn.Module:
    """A language model with its tokenizer on the disk."""
    model = shaken(DECODERS[family]())
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return model
