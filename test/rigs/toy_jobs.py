# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Jobs of a fraction of a second, for what runs jobs."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evla_ros.recipes.jobs import Job


@dataclass(frozen=True)
class Touch:
    """Leaves a file and ends with an exit code."""

    path: Path
    code: int = 0


def touch(job: Touch) -> dict[str, str]:
    """Leave the file; returns what the job was told."""
    time.sleep(0.2)
    job.path.touch()
    if job.code:
        sys.exit(job.code)
    return {"path": str(job.path)}


@dataclass(frozen=True)
class Meeting:
    """Leaves a file and waits for another."""

    mine: Path
    other: Path


def meet(meeting: Meeting) -> None:
    """Write $WHO, and fail when the other file does not come."""
    meeting.mine.write_text(os.environ["WHO"])
    end = time.monotonic() + 60
    while not meeting.other.exists() and time.monotonic() < end:
        time.sleep(0.01)
    sys.exit(not meeting.other.exists())


@dataclass(frozen=True)
class Sleep:
    """Takes so long."""

    seconds: float


def sleep(job: Sleep) -> None:
    """Say which process this is, and sleep."""
    os.write(1, b"%d\n" % os.getpid())
    time.sleep(job.seconds)


def kill_itself(job: Sleep) -> None:
    """End as a process ends that is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def toy(function: Callable[[Any], Any], argument: object, **environment: str) -> Job:
    """Return a job of these; its process finds this module."""
    path = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    found = {"PYTHONPATH": os.pathsep.join(filter(None, path))}
    return Job(function, argument, {**found, **environment})
