# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Linear layers in int8: weights are scaled per output once, activations per token at each call."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from evla_ros.model.evla_model import EvlaModel

LARGEST = 127.0
CUDA_MINIMUM_ROWS = 32  # the integer kernel of cuBLAS refuses fewer than 17 rows


class Int8Linear(nn.Module):
    """A linear layer that multiplies integers (with VNNI, AMX or tensor cores)."""

    weight: Tensor  # [out, in] int8
    scale: Tensor  # [out] float32

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        scale = weight.abs().amax(dim=1).clamp_min(1e-8) / LARGEST
        self.register_buffer("weight", (weight / scale[:, None]).round().to(torch.int8))
        self.register_buffer("scale", scale)
        self.bias = linear.bias

    def forward(self, inputs: Tensor) -> Tensor:
        """Map [..., in] to [..., out], in the dtype of the inputs."""
        rows = inputs.flatten(0, -2)
        token_scale = rows.abs().amax(dim=1, keepdim=True).float().clamp_min_(1e-8).div_(LARGEST)
        quantised = (rows / token_scale).round_().to(torch.int8)
        output = self._product(quantised).mul(token_scale).mul_(self.scale)
        if self.bias is not None:
            output.add_(self.bias)
        return output.to(inputs.dtype).unflatten(0, inputs.shape[:-1])

    def _product(self, rows: Tensor) -> Tensor:
        missing = CUDA_MINIMUM_ROWS - len(rows)
        if rows.is_cuda and missing > 0:
            padded = nn.functional.pad(rows, (0, 0, 0, missing))
            return torch._int_mm(padded, self.weight.t())[: len(rows)]  # noqa: SLF001
        return torch._int_mm(rows, self.weight.t())  # noqa: SLF001


def quantize_int8(model: EvlaModel) -> EvlaModel:
    """Replace the linear layers of towers, projector and decoder by int8 ones, in place.

    Embeddings, the rows of the action tokens, norms, heads and the proprio projection stay as they
    are. For inference only.
    """
    for part in (model.backbones, model.projector, model.language_model.body):
        targets = [(name, m) for name, m in part.named_modules() if isinstance(m, nn.Linear)]
        for name, linear in targets:
            parent, _, leaf = name.rpartition(".")
            setattr(part.get_submodule(parent), leaf, Int8Linear(linear))
            linear.weight = nn.Parameter(torch.empty(0))  # free it now, not at the end
    return model
