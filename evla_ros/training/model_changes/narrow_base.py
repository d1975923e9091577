# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frozen linear layers that keep their weights in bf16 or in 4 bits (NF4), under adapters.

The weights are widened at each use, in the forward and again in the backward pass, so that no wide
copy waits in between. NF4 is that of QLoRA (arXiv 2305.14314), by bitsandbytes: blocks of 64
numbers, each with its largest magnitude in fp32.
"""

from __future__ import annotations

import logging
import math
import sys
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from evla_ros.training.errors import TrainingError

Base = Literal["fp32", "bf16", "nf4"]
BLOCK = 64


class NarrowLinear(nn.Module):
    """A linear layer whose frozen weights are kept narrow: y = W x + b, with W made when used."""

    weight: nn.Parameter  # bf16; of NF4 there are `packed` and `absmax`

    def __init__(self, layer: nn.Linear, base: Base) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.base = base
        self.bias = layer.bias
        dense = layer.weight.detach()
        if base == "nf4":
            packed, absmax = quantize_nf4(dense)
            self.packed = nn.Parameter(packed, requires_grad=False)
            self.absmax = nn.Parameter(absmax, requires_grad=False)
        else:
            self.weight = nn.Parameter(dense.to(torch.bfloat16), requires_grad=False)

    def dense(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return the weights [out, in] in a dtype."""
        if self.base != "nf4":
            return self.weight.detach().to(dtype)
        shape = (self.out_features, self.in_features)
        return dequantize_nf4(self.packed, self.absmax, shape).to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        """Map [..., in] to [..., out] in the dtype of autocast, or of x."""
        kind = x.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
        result: Tensor = _Product.apply(x.to(dtype), self)  # type: ignore[no-untyped-call]
        return result if self.bias is None else result + self.bias.to(dtype)


class _Product(torch.autograd.Function):
    """W x, with a gradient for x alone."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: NarrowLinear) -> Tensor:
        """Return [..., out]."""
        ctx.layer = layer
        return functional.linear(x, layer.dense(x.dtype))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        """Return the gradient [..., in]."""
        return grad @ ctx.layer.dense(grad.dtype), None


def narrow_base(model: nn.Module, base: Base) -> None:
    """Keep the weights under all adapters of a network narrow, in place.

    Raises:
        TrainingError: `nf4` without bitsandbytes.
    """
    if base == "fp32":
        return
    if base == "nf4":
        _bitsandbytes()
    for module in model.modules():
        if hasattr(module, "lora_A") and isinstance(module.base_layer, nn.Linear):
            module.base_layer = NarrowLinear(module.base_layer, base)


def quantize_nf4(dense: Tensor) -> tuple[Tensor, Tensor]:
    """Return the 4-bit numbers of a matrix, two a byte, and the largest magnitude of each block."""
    flat = dense.float().flatten()
    rows = functional.pad(flat, (0, -len(flat) % BLOCK)).view(-1, BLOCK)
    packed, state = _bitsandbytes().quantize_4bit(
        rows, blocksize=BLOCK, quant_type="nf4", compress_statistics=False
    )
    return packed, state.absmax


def dequantize_nf4(packed: Tensor, absmax: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return the matrix of `shape` in fp32 that `quantize_nf4` narrowed."""
    functions = _bitsandbytes()
    # As rows of one block each: the library's CPU code takes other shapes for rows of whole blocks.
    state = functions.QuantState(
        absmax.detach(),
        shape=torch.Size([len(absmax), BLOCK]),
        blocksize=BLOCK,
        quant_type="nf4",
        dtype=torch.float32,
        code=functions.get_4bit_type("nf4", device=absmax.device),
    )
    rows: Tensor = functions.dequantize_4bit(packed.detach(), state)
    return rows.flatten()[: math.prod(shape)].view(shape)


def _bitsandbytes() -> Any:
    """Return its functions, imported without the kernels that it would download on some CPUs."""
    absent = object()
    known = sys.modules.get("kernels", absent)
    log = logging.getLogger("bitsandbytes.backends.cpu.ops")
    level = log.level
    sys.modules["kernels"] = None  # type: ignore[assignment]
    log.setLevel(logging.ERROR)
    try:
        import bitsandbytes.functional as functions
    except ImportError as error:
        raise TrainingError(
            "lora.base: nf4 needs bitsandbytes: pip install 'evla_ros[nf4]'"
        ) from error
    finally:
        log.setLevel(level)
        del sys.modules["kernels"]
        if known is not absent:
            sys.modules["kernels"] = known  # type: ignore[assignment]
    return functions
