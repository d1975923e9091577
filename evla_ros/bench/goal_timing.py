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
_CRUISE = 10  # goals
_BRAKING = 0.8


class Lateness(NamedTuple):
    """How many milliseconds goals are behind their grid, and how many slots have none."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    missed: int
    slots: int


def grid_lateness(arrived_ns: Sequence[int], period_ns: int) -> Lateness:
    """Return how late goals are on the grid of the goal rate, which is fitted to their arrivals.

    A goal off the grid, as after a new chunk, does not count. A slot is served by the first goal
    that arrives from 1 ms before it on; a slot without one within a period is missed.

    Args:
        arrived_ns: when each goal arrived, in order.
        period_ns: period of the goal rate.
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


class Stop(NamedTuple):
    """When the first goal arrived that is clearly slower than before, and the first that stands."""

    braking_ns: int
    still_ns: int


def stop_times(goals: Sequence[GoalRecord], cause_ns: int) -> Stop | None:
    """Find the first stop after its cause.

    Args:
        goals: Some from before the cause, moving, and those after it.
        cause_ns: When the cause was there; monotonic, as the arrivals are.

    Returns:
        None when no three goals in a row stand still.
    """
    positions = np.array([goal.position for goal in goals])
    stamps_s = np.array([goal.stamp_ns for goal in goals]) / 1e9
    steps_m = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    speeds = np.concatenate([[0.0], steps_m / np.maximum(np.diff(stamps_s), 1e-4)])
    after = sum(goal.arrived_ns <= cause_ns for goal in goals)
    still = next(
        (i for i in range(max(after, 1), len(goals) - 1) if not steps_m[i - 1 : i + 1].any()), None
    )
    if still is None:
        return None
    still = max(still - 1, after)  # the first of the three
    cruising = np.median(speeds[max(after - _CRUISE, 1) : after]) if after > 1 else 0.0
    slow = (i for i in range(after, still) if speeds[i] < _BRAKING * cruising)
    return Stop(goals[next(slow, still)].arrived_ns, goals[still].arrived_ns)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    text = Path(f"/proc/{pid}/stat").read_text()
    fields = text.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def private_mib(pid: int) -> float:
    """Return the resident memory of a process that it shares with no other.

    The segments that the middleware shares between processes do not count.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    return int(line.split()[1]) / 1024
