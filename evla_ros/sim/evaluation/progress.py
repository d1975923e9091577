# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far an evaluation is: a line that renews itself on a terminal, one now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict

_PLAIN_EVERY_S = 20.0
_FIRST_AFTER_S = 2.0


class Progress:
    """Writes to stderr, so that the report on stdout stays clean."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        """Start the clock."""
        self._total, self._quiet = total, quiet
        self._start_s = self._last_s = time.monotonic()
        self._pause_s = _FIRST_AFTER_S
        self._terminal = sys.stderr.isatty()

    def show(self, records: Sequence[EpisodeRecord]) -> None:
        """Tell what the newest record adds."""
        now_s = time.monotonic()
        pause_s = 0.2 if self._terminal else self._pause_s
        if self._quiet or now_s - self._last_s < pause_s:
            return
        self._last_s, self._pause_s = now_s, _PLAIN_EVERY_S
        done, newest = len(records), records[-1]
        rate = done / (now_s - self._start_s)
        left_s = (self._total - done) / rate
        solved = sum(r.verdict is Verdict.SUCCESS for r in records if r.policy == newest.policy)
        played = sum(r.policy == newest.policy for r in records)
        line = (
            f"{done}/{self._total} episodes, {rate:.2f}/s, "
            f"{left_s // 60:.0f} min {left_s % 60:.0f} s left; "
            f"{newest.policy} {solved}/{played}, now {newest.task}"
        )
        end, start = ("", "\r\033[K") if self._terminal else ("\n", "")
        print(f"{start}{line}", end=end, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the line."""
        if self._terminal and not self._quiet:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
