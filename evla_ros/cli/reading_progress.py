# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Show on stderr how far the messages of a bag have been read."""

from __future__ import annotations

import sys
import time

_EVERY_S, _PLAIN_EVERY_S = 0.2, 10.0
_CLEAR = "\r\x1b[2K"


class ReadingProgress:
    """One line with messages, rate and time left; elsewhere than on a terminal now and then."""

    def __init__(self, name: str) -> None:
        """Begin to read the bag of that name."""
        self._name = name
        self._terminal = sys.stderr.isatty()
        self._start_s = self._shown_s = time.monotonic()
        self._pending = False

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` messages are read; total 0: nobody knows."""
        now_s = time.monotonic()
        if now_s - self._shown_s < (_EVERY_S if self._terminal else _PLAIN_EVERY_S):
            return
        self._shown_s = now_s
        rate = done / (now_s - self._start_s)
        line = f"reading {self._name}: {done}{f' of {total}' if total else ''} messages, "
        line += f"{rate:.0f}/s"
        if total > done:
            line += f", {(total - done) / rate:.0f} s left"
        end = "" if self._terminal else "\n"
        print(f"{_CLEAR if self._terminal else ''}{line}", end=end, file=sys.stderr, flush=True)
        self._pending = self._terminal

    def close(self) -> None:
        """Clear the line, so that what follows stands alone."""
        if self._pending:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
