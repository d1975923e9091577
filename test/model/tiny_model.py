# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A model so small that every test builds it in milliseconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput

MEAN, STD = [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]
FAMILIES = ("qwen2", "llama", "gemma", "phi")


def tiny_config(
    family: str = "qwen2", cameras: int = 1, proprio: int = 0, **action: Any
) -> EvlaConfig:
    """4 patches of 12 px a camera, width 32, two decoder layers."""
    size = {"hidden_size": 16, "depth": 3, "heads": 2, "mlp_size": 32, "patch_size": 12}
    data = {
        "name": "tiny",
        "backbones": [
            {"kind": "dinov2", "register_tokens": 2, "mean": MEAN, "std": STD, **size},
            {"kind": "siglip", "stem": "conv", "mean": MEAN, "std": STD, **size},
        ],
        "image": {"size": 24, "cameras": [f"camera{index}" for index in range(cameras)]},
        "projector": "gelu-mlp",
        "language_model": {
            "family": family,
            "vocabulary_rows": 576,
            "hidden_size": 32,
            "layers": 2,
            "heads": 4,
            "key_value_heads": 2,
            "mlp_size": 48,
            "tie_embeddings": family in {"qwen2", "gemma"},
            "head_dim": 8 if family == "gemma" else None,
        },
        "action": {
            "chunk": 2,
            "dim": 7,
            "vocabulary_size": 576,
            "heads": ["tokens", "l1"],
            "l1_width": 32,
            **action,
        },
        "prompt": {"prefix_ids": [0], "max_tokens": 48},
        "proprio_dim": proprio,
    }
    return parse_config(data, "tiny")


def tiny_model(config: EvlaConfig, seed: int = 0) -> EvlaModel:
    """Random weights large enough that every input matters."""
    torch.manual_seed(seed)
    model = EvlaModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4.0)
    return model


def random_batch(
    config: EvlaConfig, lengths: list[int], pad_to: int = 0, seed: int = 0
) -> ModelInput:
    """One sample per length; the padding ids are random, as nothing may read them."""
    generator = torch.Generator().manual_seed(seed)
    batch, longest = len(lengths), max(*lengths, pad_to)
    size, cameras = config.image.size, len(config.image.cameras)
    return ModelInput(
        input_ids=torch.randint(0, 300, (batch, longest), generator=generator),
        text_lengths=torch.tensor(lengths),
        images=torch.randint(
            0, 256, (batch, cameras, 3, size, size), dtype=torch.uint8, generator=generator
        ),
        proprio=torch.randn(batch, config.proprio_dim, generator=generator)
        if config.proprio_dim
        else None,
    )


def statistics_entry(dimensions: int, scale: float = 1.0) -> dict[str, Any]:
    """One statistics entry; the last dimension is a gripper."""
    span = scale * np.arange(1, dimensions + 1)
    mask = [True] * (dimensions - 1) + [False]
    return {
        "mean": [0.0] * dimensions,
        "std": (span / 2).tolist(),
        "min": (-2 * span).tolist(),
        "max": (2 * span).tolist(),
        "q01": (-span).tolist(),
        "q99": span.tolist(),
        "mask": mask,
    }
