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

from evla_ros.training.errors import TrainingError

FILE = "stages.json"
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
        self.seconds[name] = round(self.seconds.get(name, 0.0) + seconds, 1)
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

    Raises TrainingError naming the stage that failed.
    """
    for stage in stages:
        if stage.done():
            print(f"{stage.name}: there already", file=sys.stderr, flush=True)
            continue
        print(f"{stage.name} ...", file=sys.stderr, flush=True)
        started = time.monotonic()
        try:
            codes = _run_all(stage.jobs())
        finally:
            times.add(stage.name, time.monotonic() - started)
        bad = [code for code in codes if code not in stage.accepts]
        if bad or not stage.done():
            how = f"exit code {bad[0]}" if bad else "its result is not there"
            raise TrainingError(
                f"the stage {stage.name!r} failed ({how}), the lines above say why; "
                f"`{again}` goes on from there"
            )


def _run_all(jobs: Sequence[Job]) -> list[int]:
    processes = [
        subprocess.Popen([sys.executable, *job.words], env={**os.environ, **job.environment})
        for job in jobs
    ]
    try:
        return [process.wait() for process in processes]
    except BaseException:  # Ctrl-C reaches the processes too; they end in their own way
        for process in processes:
            process.terminate()
        for process in processes:
            _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
