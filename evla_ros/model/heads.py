# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The continuous head; the head of tokens is made of output rows of the language model."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """A residual layer: x + ReLU(Linear(LayerNorm(x)))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map [..., width] to [..., width]."""
        return hidden + torch.relu(self.linear(self.norm(hidden)))


class L1Head(nn.Module):
    """Predicts the D numbers of an action from its D slots, as OpenVLA-OFT does (arXiv 2502.19645).

    Several arms share one head: the D / arms numbers of each come from that arm's own slots.
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
        """Map the states of K * D slots [..., K * D, hidden] to normalised actions [..., K, D]."""
        parts = slots.flatten(-2).unflatten(-1, (-1, self.arms, self.inputs))
        actions: Tensor = self.leave(self.blocks(self.enter(parts)))
        return actions.flatten(-2)
