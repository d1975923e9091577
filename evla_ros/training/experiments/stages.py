# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stages of a recipe: each a few processes with a result on disk, skipped when that is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evla_ros.interruption import sigterm_interrupts
from evla_ros.training.errors import TrainingError
from evla_ros.worker_process import end_with_starter

FILE = "stages.json"
SAVE_EVERY_S = 5.0  # what a kill -9 loses of a stage's time at most
_END_S = 20.0


@dataclass(frozen=True)
class Job:
    """What Python runs, and what it finds in its environment besides ours."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """jobs: asked for when the stage starts, all run at once. done: whether its result is there.

    accepts: exit codes that are no failure, as long as the result is there afterwards.
    """

    name: str
    jobs: Callable[[], Sequence[Job]]
    done: Callable[[], bool]
    accepts: tuple[int, ...] = (0,)


class StageTimes:
    """Seconds that each stage took over all runs of a recipe, kept in `stages.json`."""

    def __init__(self, folder: Path) -> None:
        """Read what earlier runs took."""
        self._path = folder / FILE
        try:
            self.seconds: dict[str, float] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            self.seconds = {}

    def add(self, name: str, seconds: float) -> None:
        """Add to a stage's time."""
        self.seconds[name] = round(self.seconds.get(name, 0.0) + seconds, 3)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.seconds, indent=1) + "\n")

    def table(self, names: Sequence[str]) -> str:
        """Return the stages with their minutes, and the sum."""
        known = [name for name in names if name in self.seconds]
        rows = [(name, self.seconds[name]) for name in known]
        rows.append(("all", sum(seconds for _, seconds in rows)))
        lines = [f"{name:<10} {seconds / 60:8.1f} min" for name, seconds in rows]
        return "\n".join([f"{'stage':<10} {'wall time':>12}", *lines])


def run_stages(stages: Sequence[Stage], times: StageTimes, again: str) -> None:
    """Run what is not done yet; `again`: the command that goes on after a failure.

    A stage ends with this process, however that is ended. Raises TrainingError naming the stage
    that failed.
    """
    for stage in stages:
        if stage.done():
            print(f"{stage.name}: there already", file=sys.stderr, flush=True)
            continue
        print(f"{stage.name} ...", file=sys.stderr, flush=True)
        with sigterm_interrupts():
            codes = _run_all(stage.jobs(), _Clock(times, stage.name))
        bad = [code for code in codes if code not in stage.accepts]
        if bad or not stage.done():
            how = f"exit code {bad[0]}" if bad else "its result is not there"
            raise TrainingError(
                f"the stage {stage.name!r} failed ({how}), the lines above say why; "
                f"`{again}` goes on from there"
            )


class _Clock:
    """Adds what has passed to a stage's time, now and then."""

    def __init__(self, times: StageTimes, name: str) -> None:
        self._times, self._name, self._since = times, name, time.monotonic()

    def save(self) -> None:
        now = time.monotonic()
        self._times.add(self._name, now - self._since)
        self._since = now


def _run_all(jobs: Sequence[Job], clock: _Clock) -> list[int]:
    processes = [
        subprocess.Popen(
            [sys.executable, *job.words],
            env={**os.environ, **job.environment},
            preexec_fn=end_with_starter,  # noqa: PLW1509 - one system call, loaded beforehand
        )
        for job in jobs
    ]
    try:
        return [_exit_code(process, clock) for process in processes]
    except BaseException:  # Ctrl-C reaches the processes too; they end in their own way
        for process in processes:
            process.terminate()
        for process in processes:
            _end(process)
        raise
    finally:
        clock.save()


def _exit_code(process: subprocess.Popen[bytes], clock: _Clock) -> int:
    while True:
        try:
            return process.wait(SAVE_EVERY_S)
        except subprocess.TimeoutExpired:
            clock.save()


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
