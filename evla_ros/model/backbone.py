# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Vision backbones on the layers of transformers; the unused last block is not built."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import Dinov2WithRegistersConfig, SiglipVisionConfig
from transformers.models.dinov2_with_registers.modeling_dinov2_with_registers import (
    Dinov2WithRegistersLayer,
)
from transformers.models.siglip.modeling_siglip import SiglipEncoderLayer

from evla_ros.model.config import BackboneConfig
from evla_ros.model.conv_stem import ConvStem
from evla_ros.model.device_constant import DeviceConstant


class VisionBackbone(nn.Module):
    """Patch embedding, positions and all blocks but the last of one DINOv2 or SigLIP tower."""

    def __init__(self, config: BackboneConfig, image_size: int, attention: str = "sdpa") -> None:
        super().__init__()
        width, patch = config.hidden_size, config.patch_size
        self.config = config
        statistics = [[[[v]] for v in values] for values in (config.mean, config.std)]
        self._normalisation = DeviceConstant(statistics, torch.float32)  # [2, 3, 1, 1]
        self.prefix_tokens = 1 + config.register_tokens if config.kind == "dinov2" else 0
        self.patch_embedding: nn.Module
        if config.stem == "conv":
            self.patch_embedding = ConvStem(width, patch)
        else:
            self.patch_embedding = nn.Conv2d(3, width, kernel_size=patch, stride=patch)
        self.position_embedding = nn.Parameter(torch.zeros((image_size // patch) ** 2, width))
        if self.prefix_tokens:  # class token, then registers; they carry no position
            self.prefix = nn.Parameter(torch.zeros(self.prefix_tokens, width))
        build = _dino_layer if config.kind == "dinov2" else _siglip_layer
        self.blocks = nn.ModuleList(build(config, attention) for _ in range(config.depth - 1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Truncated normal weights (0.02), zero biases: the initialisation of both families."""
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.position_embedding, std=0.02)
        if self.prefix_tokens:
            nn.init.trunc_normal_(self.prefix, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """Patch features of the second-to-last block, without final norm.

        Args:
            images: [N, 3, S, S], float in [0, 1] (not yet normalised).

        Returns:
            [N, patches, hidden_size], prefix tokens stripped.
        """
        mean, std = self._normalisation.on(images.device)
        pixels = ((images - mean) / std).to(self.position_embedding.dtype)
        hidden = self.patch_embedding(pixels).flatten(2).transpose(1, 2)  # [N, patches, width]
        hidden = hidden + self.position_embedding
        if self.prefix_tokens:
            hidden = torch.cat([self.prefix.expand(len(hidden), -1, -1), hidden], dim=1)
        for block in self.blocks:
            hidden = block(hidden, None)
        return hidden[:, self.prefix_tokens :]


def _dino_layer(config: BackboneConfig, attention: str) -> nn.Module:
    settings = Dinov2WithRegistersConfig(
        hidden_size=config.hidden_size,
        num_attention_heads=config.heads,
        mlp_ratio=config.mlp_size // config.hidden_size,
        hidden_act=config.activation,
        layer_norm_eps=1e-6,
        attn_implementation=attention,
    )
    return Dinov2WithRegistersLayer(settings)


def _siglip_layer(config: BackboneConfig, attention: str) -> nn.Module:
    settings = SiglipVisionConfig(
        hidden_size=config.hidden_size,
        num_attention_heads=config.heads,
        intermediate_size=config.mlp_size,
        hidden_act=config.activation,
        layer_norm_eps=1e-6,
        attn_implementation=attention,
    )
    return SiglipEncoderLayer(settings)
