# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An exponential moving average of the weights, for evaluation and checkpoints."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class Ema:
    """Averages the trainable parameters; with decay 0 it is the weights themselves."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.shadow: dict[str, Tensor] = {}
        if decay:
            self.shadow = {name: p.detach().clone() for name, p in self._live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the weights after optimiser step `step` (slower averages start fast)."""
        if not self.decay:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        names = list(self.shadow)
        torch._foreach_lerp_(
            [self.shadow[n] for n in names], [self._live[n].detach() for n in names], 1.0 - decay
        )

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the model for a while."""
        kept = {name: self._live[name].detach().clone() for name in self.shadow}
        self._copy(self.shadow)
        try:
            yield
        finally:
            self._copy(kept)

    @torch.no_grad()
    def _copy(self, values: dict[str, Tensor]) -> None:
        for name, value in values.items():
            self._live[name].copy_(value)
