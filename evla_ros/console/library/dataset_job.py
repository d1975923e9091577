# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The dataset button: one conversion at a time, in a process of its own with low priority."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evla_ros.console.errors import RefusedError
from evla_ros.errors import EvlaError
from evla_ros.reading.text_files import parse_json
from evla_ros.worker_process import end_with_starter

_WORKER = "evla_ros.console.library.dataset_worker"
_MOST_WORDS = 2000
_AT_WORK = ("starting", "convert", "doctor")


class DatasetJob:
    """Its state is what the page shows; it may be asked from any thread."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._state: dict[str, Any] = {"step": "idle", "out": str(out)}
        self._process: subprocess.Popen[str] | None = None
        self._ended = False

    def state(self) -> dict[str, Any]:
        """Return step (idle, starting, convert, doctor, done, error, ended) and what it has."""
        return self._state

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._state["step"] in _AT_WORK

    def start(self, bags: Sequence[Path]) -> str:
        """Begin with these bags; returns what was begun.

        Raises:
            RefusedError: It is at work already, or there is nothing to convert.
        """
        if self.running:
            raise RefusedError("the last conversion is still at work")
        if not bags:
            raise RefusedError("there is no kept episode to convert yet")
        self._ended = False
        self._set("starting", total=len(bags), done=0)
        threading.Thread(target=self._run, args=(tuple(bags),), name="dataset", daemon=True).start()
        return f"converting {len(bags)} episodes into {self.out}"

    def end(self) -> str:
        """End it; a later start resumes where it was.

        Raises:
            RefusedError: Nothing is at work.
        """
        process = self._process
        if not self.running or process is None:
            raise RefusedError("no conversion is at work")
        self._ended = True
        process.terminate()
        return "the conversion was ended; the next one goes on where it was"

    def _run(self, bags: tuple[Path, ...]) -> None:
        argv = [sys.executable, "-m", _WORKER, str(self.out), *map(str, bags)]
        # The thread that starts it waits for it, so that it ends with this process.
        process = self._process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=end_with_starter,  # noqa: PLW1509
        )  # fmt: skip
        words: list[str] = []
        errors = threading.Thread(target=lambda: words.append(process.stderr.read()), daemon=True)  # type: ignore[union-attr]
        errors.start()
        assert process.stdout is not None  # noqa: S101
        for line in process.stdout:
            with contextlib.suppress(EvlaError):
                found = parse_json(line, "progress of the conversion")
                self._set(found.pop("step"), **found)
        process.wait()
        errors.join()
        if self._ended:
            self._set("ended")
        elif self._state["step"] not in ("done", "error"):
            last = "".join(words).strip()[-_MOST_WORDS:].splitlines()
            self._set("error", text=last[-1] if last else f"it ended with {process.returncode}")

    def _set(self, step: str, **fields: Any) -> None:
        self._state = {"step": step, "out": str(self.out), **fields}
