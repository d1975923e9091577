# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training says on stderr while it runs: lines that stay, and a line that renews itself."""

from __future__ import annotations

import shutil
import sys
import time

_RENEW_S, _REPEAT_S = 0.5, 20.0


class Console:
    """Prints for people; the other ranks of a training are silent.

    On a terminal, `phase` and `status` share one line that renews itself. Elsewhere a phase is a
    line of its own, and a status is not shown.
    """

    def __init__(self, *, speaks: bool = True) -> None:
        """Args: speaks: Whether this process prints at all."""
        self._speaks = speaks
        self._terminal = speaks and sys.stderr.isatty()
        self._shown_s = self._told_s = float("-inf")
        self._told = ""

    def say(self, text: str) -> None:
        """Print lines that stay."""
        if self._speaks:
            print(f"{self._cleared()}{text}", file=sys.stderr, flush=True)

    def phase(self, text: str) -> None:
        """Say what is done now and takes a while: `caching image features: 64 of 900 frames`.

        Elsewhere than on a terminal what stands before the colon is repeated now and then only.
        """
        if self._terminal:
            self._renew(f"{text} ...")
            return
        now_s, what = time.monotonic(), text.partition(":")[0]
        if self._speaks and (what != self._told or now_s - self._told_s > _REPEAT_S):
            self._told, self._told_s = what, now_s
            print(f"{text} ...", file=sys.stderr, flush=True)

    def status(self, text: str) -> None:
        """Renew the line of a terminal, at most twice a second."""
        if self._terminal and time.monotonic() - self._shown_s > _RENEW_S:
            self._shown_s = time.monotonic()
            self._renew(text)

    def clear(self) -> None:
        """Remove the line that renews itself."""
        if self._terminal:
            print(self._cleared(), end="", file=sys.stderr, flush=True)

    def _renew(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        print(f"{self._cleared()}{text[:width]}", end="", file=sys.stderr, flush=True)

    def _cleared(self) -> str:
        return "\r\x1b[K" if self._terminal else ""


def duration(seconds: float) -> str:
    """Return seconds as `1 h 02 min`, `3 min 20 s` or `12 s`."""
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
