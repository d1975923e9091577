# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The continuous head; the token head is the language model's own output rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + ReLU(Linear(LayerNorm(x)))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """[..., width] -> [..., width]."""
        return hidden + torch.relu(self.linear(self.norm(hidden)))


class L1Head(nn.Module):
    """Regress a step's D numbers from its D slots, after OpenVLA-OFT (arXiv 2502.19645).

    Several arms share it: each one's D / arms numbers come from its own slots.
    """

    def __init__(self, hidden_size: int, dim: int, width: int, arms: int = 1) -> None:
        super().__init__()
        self.arms = arms
        dim //= arms
        self.inputs = dim * hidden_size
        self.enter = nn.Sequential(
            nn.LayerNorm(dim * hidden_size), nn.Linear(dim * hidden_size, width), nn.ReLU()
        )
        self.blocks = nn.Sequential(ResidualBlock(width), ResidualBlock(width))
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, dim))

    def forward(self, slots: Tensor) -> Tensor:
        """Slot states [..., K*D, hidden] -> normalised actions [..., K, D]."""
        parts = slots.flatten(-2).unflatten(-1, (-1, self.arms, self.inputs))
        actions: Tensor = self.leave(self.blocks(self.enter(parts)))
        return actions.flatten(-2)
