# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every runtime makes of a checkpoint: something that answers batches."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from evla_ros.model.model_input import ModelInput


class Network(Protocol):
    """A network that is loaded and ready.

    Attributes:
        name: library, number format and device, such as `openvino int8 cpu`.
        pads_prompts: prompts are to be padded to a few lengths, each of which costs once.
    """

    name: str
    pads_prompts: bool

    def decode(self, batch: ModelInput) -> Tensor:
        """Return the normalised actions [B, K, D] float64 of a batch."""

    def is_finite(self, batch: ModelInput) -> bool:
        """Return whether every number that the heads give for a batch is finite."""
