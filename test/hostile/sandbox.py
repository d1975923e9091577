# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a function in a forked process with a limit on its memory and time, and say how it ended."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import select
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from evla_ros.errors import EvlaError

MEMORY = 2 << 30  # bytes above what the process has when it is forked
SECONDS = 30.0
Ending = Literal["read", "refused", "failed", "hung", "died"]


class Outcome(NamedTuple):
    """How a call ended.

    Attributes:
        ending: `read`: it returned; `refused`: it raised an EvlaError; `failed`: it raised another
            exception; `hung`: it did not end in time; `died`: a signal ended it.
        text: The message, or the traceback of a failure.
        value: What it returned, as JSON makes it.
    """

    ending: Ending
    text: str = ""
    value: Any = None

    @property
    def sound(self) -> bool:
        """Whether it ended as it should: with a result, or with a sentence."""
        return self.ending in ("read", "refused")


def run(call: Callable[[], Any], seconds: float = SECONDS, memory: int = MEMORY) -> Outcome:
    """Call a function in a process of its own; what it prints is lost."""
    reader, writer = os.pipe()
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            _in_child(call, writer, memory)
        finally:
            os._exit(70)
    os.close(writer)
    answer = _answer(reader, seconds)
    if answer is None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return Outcome("hung", f"no end after {seconds:g} s")
    _, status = os.waitpid(pid, 0)
    if not answer:
        return Outcome("died", f"wait status {status}")
    return Outcome(*json.loads(answer))


def _answer(reader: int, seconds: float) -> bytes | None:
    """Read until the child closes the pipe; None when it does not in time."""
    parts = []
    with os.fdopen(reader, "rb", buffering=0) as stream:
        while select.select([stream], [], [], seconds)[0]:
            part = stream.read(1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)
    return None


def _in_child(call: Callable[[], Any], writer: int, memory: int) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    try:
        outcome: tuple[Any, ...] = ("read", "", call())
    except EvlaError as error:
        outcome = ("refused", str(error))
    except BaseException:
        outcome = ("failed", traceback.format_exc())
    with contextlib.suppress(OSError):
        data = json.dumps(outcome, default=str).encode("utf-8", "backslashreplace")
        while data:
            data = data[os.write(writer, data) :]
    os._exit(0)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of everything below a folder, to see what was written."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(place, name))  # noqa: PTH118 - names of any bytes
            found[os.path.join(place, name)] = (status.st_size, status.st_mtime_ns)  # noqa: PTH118
    return found
