# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How late goals arrive on their grid, when they stand still, what a process costs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evla_ros.bench.fake_robot import GoalRecord

_EARLY_NS = 1_000_000


class Lateness(NamedTuple):
    """Milliseconds behind the grid, and slots without a goal."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    missed: int
    slots: int


def grid_lateness(arrived_ns: Sequence[int], period_ns: int) -> Lateness:
    """Fit a grid of that period to the arrivals; goals off the grid (after a chunk) do not count.

    A slot is served by the first goal that arrives from 1 ms before it on; none within one period
    is a miss.
    """
    times = np.array(arrived_ns, dtype=np.int64)
    phases = (times - times[0]) % period_ns
    candidates = np.linspace(0, period_ns, 400, endpoint=False)
    away = np.abs(
        (phases[None, :] - candidates[:, None] + period_ns / 2) % period_ns - period_ns / 2
    )
    phase = candidates[int(np.argmax((away < 0.5e6).sum(axis=1)))]
    first = times[0] + int(phase)
    slots = np.arange(first, times[-1] - period_ns, period_ns)
    served = times[np.searchsorted(times, slots - _EARLY_NS)]
    late = (served - slots) / 1e6
    missed = int(np.sum(late > period_ns / 1e6))
    p50, p99 = np.percentile(np.maximum(late, 0.0), [50, 99])
    return Lateness(float(p50), float(p99), float(late.max()), missed, len(slots))


def first_held_ns(goals: Sequence[GoalRecord]) -> int | None:
    """Return when the goal arrived that all later ones repeat; None when they never settled."""
    if len(goals) < 3:
        return None
    last = goals[-1].position
    held = len(goals)
    while held > 0 and goals[held - 1].position == last:
        held -= 1
    return goals[held].arrived_ns if held < len(goals) - 1 else None


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def private_mib(pid: int) -> float:
    """Return the resident memory of a process that it shares with no other.

    What it has mapped of the segments that the middleware shares between processes does not count.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) / 1024
