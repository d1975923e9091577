# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An exponential moving average of the weights, for evaluation and checkpoints.

Only trained weights are kept twice; `torch.optim.swa_utils.AveragedModel` would copy frozen ones.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from evla_ros.training.sharding import local


class Ema:
    """Averages the trainable parameters; with decay 0 the average is the parameters themselves."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._live = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.shadow: dict[str, Tensor] = {}
        if decay:
            self.shadow = {name: p.detach().clone() for name, p in self._live.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the average after an optimiser step; a slow average starts faster."""
        if not self.decay:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        names = list(self.shadow)
        average = [local(self.shadow[name]) for name in names]
        live = [local(self._live[name].detach()) for name in names]
        get_ema_multi_avg_fn(decay)(average, live, step)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the model inside a `with` block."""
        kept = {name: self._live[name].detach().clone() for name in self.shadow}
        self._copy(self.shadow)
        try:
            yield
        finally:
            self._copy(kept)

    @torch.no_grad()
    def _copy(self, values: dict[str, Tensor]) -> None:
        for name, value in values.items():
            local(self._live[name]).copy_(local(value))
