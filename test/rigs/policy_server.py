# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy server in a process of its own, as the command line starts it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = Path(__file__).resolve().parents[2]


class PolicyServer:
    """Use as a context manager; arguments are those of `evla serve`."""

    def __init__(self, *arguments: str, port: int = 0) -> None:
        self._command = [sys.executable, "-m", "evla_ros", "serve", *arguments, "--port", str(port)]
        self.events: list[dict[str, Any]] = []
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
        )
        for stream, take in (
            (self.process.stdout, lambda line: self.events.append(json.loads(line))),
            (self.process.stderr, lambda line: self.errors.append(line.rstrip())),
        ):
            threading.Thread(target=_read, args=(stream, take), daemon=True).start()
        self.ready = self.wait_for("ready", 90.0)
        self.url = self.ready["url"]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def wait_for(self, event: str, timeout_s: float = 20.0, count: int = 1) -> dict[str, Any]:
        """Return the count-th event of a kind, as soon as it is logged."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            found = [one for one in list(self.events) if one["event"] == event]
            if len(found) >= count:
                return found[count - 1]
            if self.process.poll() is not None and not found:
                break
            time.sleep(0.01)
        raise AssertionError(f"no {event!r}: {self.events[-3:]} {self.errors[-10:]}")

    def stop(self) -> int:
        """Ask it to end; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def _read(stream: Any, take: Any) -> None:
    for line in stream:
        take(line)
