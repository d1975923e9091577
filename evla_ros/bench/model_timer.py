# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times a stage until enough is known of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Timer:
    """At most `repeat` runs, and no new one after `seconds`, but two if `repeat` allows."""

    repeat: int
    seconds: float
    device: str
    clock: str = (
        "wall"  # or `cpu`: this thread's processor time, which other programs do not add to
    )

    def __call__(self, work: Callable[[], object]) -> list[float]:
        """Milliseconds of each run after one warm-up."""
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
