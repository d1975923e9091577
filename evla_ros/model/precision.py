# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which full precision a device multiplies faster: bf16 needs AMX or tensor cores to win."""

from __future__ import annotations

import time

import torch

_SHAPE = (288, 1024, 2048)  # tokens, in, out
_RUNS = 5


def fastest_precision(device: torch.device) -> str:
    """`bf16` or `fp32`, by five products of each (some 0.1 s); GPUs take bf16."""
    if device.type != "cpu":
        return "bf16"
    seconds = {name: _product_seconds(kind) for name, kind in _PRECISIONS.items()}
    return min(seconds, key=lambda name: seconds[name])


_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@torch.inference_mode()
def _product_seconds(dtype: torch.dtype) -> float:
    tokens, width, out = _SHAPE
    inputs, weight = torch.ones(tokens, width, dtype=dtype), torch.ones(out, width, dtype=dtype)
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        torch.nn.functional.linear(inputs, weight)
        times.append(time.perf_counter() - start)
    return min(times)
