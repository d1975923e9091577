# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times a stage, and what this machine reaches at best: operations and bytes per second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

SHAPE = (320, 1024, 4096)  # tokens, in, out: a feed-forward layer of the large model
COPY_BYTES = 1 << 28
SECONDS = 1.5


@dataclass(frozen=True)
class Timer:
    """Runs a stage again and again and measures how long each run takes.

    Attributes:
        repeat: most runs.
        seconds: no new run begins after this time, but there are two if `repeat` allows.
        device: what computes; a GPU is waited for.
        clock: `wall`, or `cpu`: processor time of this thread, to which other programs do not add.
    """

    repeat: int
    seconds: float
    device: str
    clock: str = "wall"

    def __call__(self, work: Callable[[], object]) -> list[float]:
        """Return the milliseconds of each run, after one run to warm up."""
        self._run(work)
        now = time.thread_time if self.clock == "cpu" else time.perf_counter
        times: list[float] = []
        begin = time.perf_counter()
        while len(times) < self.repeat and (
            len(times) < 2 or time.perf_counter() - begin < self.seconds
        ):
            start = now()
            self._run(work)
            times.append(1e3 * (now() - start))
        return times

    def _run(self, work: Callable[[], object]) -> None:
        work()
        if self.device.startswith("cuda"):
            torch.cuda.synchronize()


@dataclass(frozen=True)
class Roofline:
    """Measured ceilings of one device and dtype."""

    flops_per_s: float
    bytes_per_s: float

    def seconds(self, flops: float, moved_bytes: float) -> float:
        """Return the least time [s] for so many operations and so many bytes read or written."""
        return max(flops / self.flops_per_s, moved_bytes / self.bytes_per_s)


def measure(dtype: str, device: str) -> Roofline:
    """Measure the best rate of a matrix product, and of a copy (bytes read and written).

    Args:
        dtype: `fp32`, `bf16`, `fp16` or `int8`.
        device: a torch device, such as `cpu`.
    """
    timer = Timer(1 << 30, SECONDS, device)

    def best(work: Callable[[], object]) -> float:
        return min(timer(work)) / 1e3

    rows, inner, columns = SHAPE
    if dtype == "int8":
        a = torch.randint(-127, 127, (rows, inner), dtype=torch.int8, device=device)
        b = torch.randint(-127, 127, (columns, inner), dtype=torch.int8, device=device)
        product = best(lambda: torch._int_mm(a, b.t()))  # noqa: SLF001
    else:
        kind = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[dtype]
        x, w = (torch.randn(n, inner, device=device).to(kind) for n in (rows, columns))
        product = best(lambda: torch.nn.functional.linear(x, w))
    source = torch.ones(COPY_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = best(lambda: target.copy_(source))
    return Roofline(2.0 * rows * inner * columns / product, 2.0 * COPY_BYTES / copy)
