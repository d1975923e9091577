# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stages of a recipe: each a few processes with a result on disk, skipped when that is there."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evla_ros.interruption import sigterm_interrupts
from evla_ros.reading.text_files import read_json_object
from evla_ros.recipes.jobs import Job, run_jobs
from evla_ros.training.errors import TrainingError
from evla_ros.worker_process import ending

FILE, JOBS = "stages.json", "jobs"


@dataclass(frozen=True)
class Stage:
    """A step of a recipe.

    Attributes:
        name: how the stage is shown.
        jobs: returns the jobs of the stage when it starts; they run side by side.
        done: whether the result of the stage is there.
    """

    name: str
    jobs: Callable[[], Sequence[Job]]
    done: Callable[[], bool]


class StageTimes:
    """Seconds that each stage took over all runs of a recipe, kept in `stages.json`."""

    def __init__(self, folder: Path) -> None:
        """Read what earlier runs took."""
        self.folder = folder
        self._path = folder / FILE
        found = self._path.is_file()
        self.seconds: dict[str, float] = read_json_object(self._path) if found else {}

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
    """Run the stages that are not done yet; their processes end when this one does.

    Args:
        stages: the stages in order.
        times: takes the time of each stage, also while it runs.
        again: the command line that goes on after a failure, for the error message.

    Raises:
        TrainingError: names the stage that failed.
    """
    for stage in stages:
        if stage.done():
            print(f"{stage.name}: there already", file=sys.stderr, flush=True)
            continue
        print(f"{stage.name} ...", file=sys.stderr, flush=True)
        clock = _Clock(times, stage.name)
        try:
            with sigterm_interrupts():
                name = stage.name.replace(" ", "_")
                codes = run_jobs(stage.jobs(), times.folder / JOBS, name, clock.save)
        finally:
            clock.save()
        bad = [code for code in codes if code]
        if bad or not stage.done():
            how = ending(bad[0]) if bad else "its result is not there"
            raise TrainingError(
                f"the stage {stage.name!r} failed ({how}), the lines above say why; "
                f"`{again}` goes on from there"
            )


class _Clock:
    """Adds the time that has passed to a stage's time, whenever it is asked to."""

    def __init__(self, times: StageTimes, name: str) -> None:
        self._times, self._name, self._since = times, name, time.monotonic()

    def save(self) -> None:
        now = time.monotonic()
        self._times.add(self._name, now - self._since)
        self._since = now
