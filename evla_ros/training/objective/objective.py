# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training step needs of its phase: numbered samples, and the losses of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor

from evla_ros.training.objective.losses import Sums


class SampleSource(Protocol):
    """Numbered samples; the seed and the number decide everything in a sample."""

    def batch(self, numbers: Sequence[int]) -> Any:
        """Return the samples with these numbers as one batch."""


class Objective(Protocol):
    """What is learned from a batch."""

    def prepared(self, batch: Any, step: int) -> Any:
        """Return what an optimiser step learns of a batch."""

    def labels(self, batch: Any) -> Tensor:
        """Return the counts [L] that the auxiliary loss of a step is divided by."""

    def losses(self, batch: Any, step: int, labels: Tensor | None = None) -> tuple[Sums, Tensor]:
        """Return the sums of the losses of a prepared batch, and a weighted auxiliary loss.

        Args:
            batch: As `prepared` returned it.
            step: The number of the optimiser step.
            labels: The sum of `labels` over all batches of the step; None takes the batch's.
        """
