# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Vision towers built from the layers of transformers; their unused last block is left out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import Dinov2WithRegistersConfig, SiglipVisionConfig
from transformers.models.dinov2_with_registers.modeling_dinov2_with_registers import (
    Dinov2WithRegistersLayer,
)
from transformers.models.siglip.modeling_siglip import SiglipEncoderLayer

from evla_ros.model.attention_kernel import registered_name
from evla_ros.model.config import BackboneConfig
from evla_ros.model.device_constant import DeviceConstant
from evla_ros.model.errors import ModelConfigError


class VisionBackbone(nn.Module):
    """One DINOv2 or SigLIP tower: patch embedding, positions, and all blocks but the last."""

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
        """Draw weights from a truncated normal (0.02) and zero the biases, as both families do."""
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.position_embedding, std=0.02)
        if self.prefix_tokens:
            nn.init.trunc_normal_(self.prefix, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """Return the patch features of the second-to-last block, without a final norm.

        Args:
            images: [images, 3, side, side], float in [0, 1], not yet normalised.

        Returns:
            [images, patches, hidden_size]; the class and register tokens are left out.
        """
        mean, std = self._normalisation.on(images.device)
        pixels = ((images - mean) / std).to(self.position_embedding.dtype)
        hidden = self.patch_embedding(pixels).flatten(2).transpose(1, 2)  # [N, patches, width]
        hidden = hidden + self.position_embedding
        if self.prefix_tokens:
            hidden = torch.cat([self.prefix.expand(hidden.shape[0], -1, -1), hidden], dim=1)
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
        attn_implementation=registered_name(attention),
    )
    return Dinov2WithRegistersLayer(settings)


def _siglip_layer(config: BackboneConfig, attention: str) -> nn.Module:
    settings = SiglipVisionConfig(
        hidden_size=config.hidden_size,
        num_attention_heads=config.heads,
        intermediate_size=config.mlp_size,
        hidden_act=config.activation,
        layer_norm_eps=1e-6,
        attn_implementation=registered_name(attention),
    )
    return SiglipEncoderLayer(settings)


class ConvStem(nn.Sequential):
    """3x3 convolutions from an image to patches, [N, 3, S, S] -> [N, width, S / patch, S / patch].

    The strides of the convolutions multiply to the patch size.
    """

    def __init__(self, width: int, patch_size: int) -> None:
        strides = _factors(patch_size)
        layers: list[nn.Module] = []
        channels = 3
        for index, stride in enumerate(strides):
            out = max(8, width >> (len(strides) - 1 - index))
            layers += [
                nn.Conv2d(
                    channels,
                    out,
                    kernel_size=max(3, stride),
                    stride=stride,
                    padding=1 if stride < 4 else 0,
                )
            ]
            if index < len(strides) - 1:
                layers.append(nn.GELU())
            channels = out
        super().__init__(*layers)


def _factors(patch_size: int) -> list[int]:
    factors = []
    rest = patch_size
    for prime in (2, 3):
        while rest % prime == 0:
            factors.append(prime)
            rest //= prime
    if rest != 1:
        raise ModelConfigError(
            f"a conv stem needs a patch size of factors 2 and 3, not {patch_size}"
        )
    return factors
