# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs of the right shapes for each graph of a network, to trace it with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from evla_ros.model.config import EvlaConfig
from evla_ros.model.runtimes.graphs import DECODER, decoder_inputs, part_names
from evla_ros.model.runtimes.prompt_inputs import PromptTable

PROMPT_TOKENS = 8


def examples(config: EvlaConfig) -> dict[str, dict[str, Tensor]]:
    """Return for each graph its inputs by name, in order, of one observation."""
    size, cameras = config.image.size, len(config.image.cameras)
    images = torch.randint(0, 256, (cameras, 3, size, size), dtype=torch.uint8)
    inputs = {part: {"images": images} for part in part_names(config)[:-1]}
    features = [
        torch.randn(cameras, config.patches_per_camera, backbone.hidden_size)
        for backbone in config.backbones
    ]
    width = config.language_model.hidden_size
    table = PromptTable(config, lambda ids: np.ones((*ids.shape, width), np.float32))
    tokens = min(PROMPT_TOKENS, config.prompt.max_tokens)
    prompt = table(torch.zeros(1, tokens, dtype=torch.long), torch.tensor([tokens]))
    proprio = [torch.zeros(1, config.proprio_dim)] if config.proprio_dim else []
    values = [*features, *map(torch.from_numpy, prompt), *proprio]
    inputs[DECODER] = dict(zip(decoder_inputs(config), values, strict=True))
    return inputs
