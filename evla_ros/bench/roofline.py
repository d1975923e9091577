# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What this machine reaches at best, measured now: products and bytes per second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

SHAPE = (320, 1024, 4096)  # tokens, in, out: a feed-forward layer of the large model
COPY_BYTES = 1 << 28
SECONDS = 1.5


@dataclass(frozen=True)
class Roofline:
    """Measured ceilings of one device and dtype."""

    flops_per_s: float
    bytes_per_s: float

    def seconds(self, flops: float, moved_bytes: float) -> float:
        """The least time for this much work."""
        return max(flops / self.flops_per_s, moved_bytes / self.bytes_per_s)


def measure(dtype: str, device: str) -> Roofline:
    """Best rate of a matrix product in `dtype`, and of a copy (bytes read and written).

    `dtype` is one of `fp32`, `bf16`, `fp16`, `int8`.
    """
    rows, inner, columns = SHAPE
    if dtype == "int8":
        a = torch.randint(-127, 127, (rows, inner), dtype=torch.int8, device=device)
        b = torch.randint(-127, 127, (columns, inner), dtype=torch.int8, device=device)
        product = _best(lambda: torch._int_mm(a, b.t()), device)  # noqa: SLF001
    else:
        kind = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[dtype]
        x, w = (torch.randn(n, inner, device=device).to(kind) for n in (rows, columns))
        product = _best(lambda: torch.nn.functional.linear(x, w), device)
    source = torch.ones(COPY_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = _best(lambda: target.copy_(source), device)
    return Roofline(2.0 * rows * inner * columns / product, 2.0 * COPY_BYTES / copy)


def _best(work: Callable[[], object], device: str) -> float:
    work()
    best, deadline = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < deadline:
        start = time.perf_counter()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return best
