# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Many scripted demonstrations as bags, in lock-step: which ones, and the processes at work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.sim.demonstrations import LockstepRecorder


@dataclass(frozen=True)
class Recording:
    """Which demonstrations are recorded: every seed is one bag."""

    out: Annotated[Path, Option("folder of bags", "DIR")] = Path("recordings")
    world: Annotated[str, Option("simulated world", unset="none: the recorder node runs")] = ""
    episodes: Annotated[int, Option("with --world: how many", "N", least=1)] = 10
    seed: Annotated[int, Option("with --world: of the first episode", "S", least=0)] = 0
    task: Annotated[
        str, Option("with --world: family or instruction", unset="drawn by the seed")
    ] = ""
    noise: Annotated[float, Option("with --world: on the expert's steps", least=0, most=1)] = 0.0
    image_size: Annotated[int, Option("with --world: side of the pictures", "PX", least=1)] = 224
    jobs: Annotated[int, Option("with --world: processes", "N", least=1, unset="one per core")] = (
        os.cpu_count() or 1
    )
    operator: Annotated[
        str, Option("goes into every bag", unset="with --world: scripted expert")
    ] = ""


class _Recorded(NamedTuple):
    """One finished seed."""

    seed: int
    outcome: str
    seconds: float


def record_lockstep(recording: Recording) -> str:
    """Record the seeds that are not there yet; returns a sentence about them.

    Raises:
        EvlaError: an unknown world or task, or a seed that no time stamp can tell apart.
    """
    from evla_ros.sim.demonstrations import is_recorded
    from evla_ros.sim.worlds import make_suite

    make_suite(recording.world)
    seeds = range(recording.seed, recording.seed + recording.episodes)
    todo = [seed for seed in seeds if not is_recorded(recording.out, seed)]
    if len(todo) < len(seeds):
        print(f"{len(seeds) - len(todo)} of {len(seeds)} episodes were recorded already")
    started, good = time.monotonic(), 0
    for count, one in enumerate(_record(recording, todo), start=1):
        rate = count / max(time.monotonic() - started, 1e-6)
        left = (len(todo) - count) / rate
        line = f"[{count}/{len(todo)}] seed {one.seed} {one.outcome} {one.seconds:.1f} s"
        print(f"{line}, {rate:.2f} episodes/s, {left:.0f} s left", file=sys.stderr, flush=True)
        good += one.outcome == "success"
    return f"recorded {len(todo)} episodes in {recording.out}: {good} successes"


def _record(recording: Recording, seeds: Sequence[int]) -> Iterator[_Recorded]:
    if recording.jobs == 1 or len(seeds) <= 1:
        recorder = _make(recording)
        for seed in seeds:
            yield _one(recorder, seed)
        return
    context = multiprocessing.get_context("spawn")
    workers = min(recording.jobs, len(seeds))
    with context.Pool(workers, _start_worker, (recording,)) as pool:
        yield from pool.imap_unordered(_in_worker, seeds)


def _make(recording: Recording) -> LockstepRecorder:
    from evla_ros.sim.demonstrations import DemonstrationPlan, LockstepRecorder
    from evla_ros.sim.worlds import make_world

    operator = recording.operator or "scripted expert"
    plan = DemonstrationPlan(recording.out, recording.task, recording.noise, operator=operator)
    return LockstepRecorder(make_world(recording.world, image_size=recording.image_size), plan)


def _one(recorder: LockstepRecorder, seed: int) -> _Recorded:
    report = recorder.record(seed)
    return _Recorded(seed, report.outcome, report.duration_s)


_worker: list[LockstepRecorder] = []  # one world per process


def _start_worker(recording: Recording) -> None:
    from evla_ros.worker_process import end_with_parent

    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.append(_make(recording))


def _in_worker(seed: int) -> _Recorded:
    return _one(_worker[0], seed)
