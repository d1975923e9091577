# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory a training takes, before it takes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from evla_ros.training.sharding import local

GIB = float(1 << 30)
_MOMENTS = 2  # that AdamW keeps of every trained number


class SavedTensors:
    """Counts the bytes that forward passes keep for their backward pass, inside a `with` block.

    Weights, and copies of them in another number format, are left out: they do not grow with the
    batch.
    """

    def __init__(self, model: nn.Module) -> None:
        self.bytes = 0
        self._weights = {tuple(sorted(p.shape)) for p in model.parameters()}
        self._seen: set[int] = set()
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda kept: kept)

    def __enter__(self) -> SavedTensors:  # noqa: PYI034  typing.Self is 3.11
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)  # type: ignore[arg-type]

    def _pack(self, tensor: Tensor) -> Tensor:
        if tuple(sorted(tensor.shape)) not in self._weights:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._seen:
                self._seen.add(storage.data_ptr())
                self.bytes += storage.nbytes()
        return tensor


@dataclass(frozen=True)
class MemoryEstimate:
    """What a training step needs, in bytes.

    Attributes:
        weights: The network, frozen parts included; of a sharded one, the part of one rank.
        training: Gradients, the optimiser's moments, and the moving average of the weights.
        activations: What one forward pass keeps for its backward pass.
        free: What the device has free, with the weights loaded.
    """

    weights: float
    training: float
    activations: float
    free: float

    @property
    def fits(self) -> bool:
        """Whether what is still to be taken is free."""
        return self.training + self.activations < self.free

    def text(self) -> str:
        """Return the estimate in words."""
        total = self.weights + self.training + self.activations
        parts = (
            ("weights", self.weights),
            ("gradients and optimiser", self.training),
            ("a forward pass", self.activations),
        )
        listed = ", ".join(f"{name} {value / GIB:.2f}" for name, value in parts)
        text = f"about {total / GIB:.1f} GiB ({listed}); {self.free / GIB:.1f} GiB are free"
        if not self.fits:
            text += ": TOO LITTLE; use a smaller optimizer.batch or a larger optimizer.accumulate"
        return text


def estimate_memory(
    model: nn.Module,
    trained: Iterable[nn.Parameter],
    saved_bytes: float,
    *,
    averages: bool,
    device: torch.device,
) -> MemoryEstimate:
    """Return what a step needs.

    Args:
        model: The network.
        trained: The parameters that learn.
        saved_bytes: What a forward pass of one rank keeps for its backward pass.
        averages: Whether a moving average of the weights is kept.
        device: Where the training runs.
    """
    learned = float(sum(_bytes(parameter) for parameter in trained))
    return MemoryEstimate(
        weights=float(sum(_bytes(parameter) for parameter in model.parameters())),
        training=learned * (1 + _MOMENTS + averages),
        activations=saved_bytes,
        free=free_bytes(device),
    )


def _bytes(whole: Tensor) -> int:
    tensor = local(whole)
    return tensor.numel() * tensor.element_size()


def free_bytes(device: torch.device) -> float:
    """Return the memory that a device has free; infinity where nothing says so."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return float("inf")
    kib = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), "inf")
    return float(kib) * 1024
