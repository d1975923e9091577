# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One run that a task planner asked for: what ends it, and with what result."""

from __future__ import annotations

from typing import NamedTuple

from evla_ros.control.reasons import Finding, Reason
from evla_ros.units import SECOND_NS

_REST_LIMIT_S = 5.0


class RunEnd(NamedTuple):
    """How a run ended; success: as it was asked to, by time or by a cancel."""

    success: bool
    finding: Finding
    elapsed_s: float


class RunStep(NamedTuple):
    """What to do now: `stop` motion for a reason, or nothing more because of the `end`."""

    stop: Finding | None = None
    end: RunEnd | None = None


class PolicyRun:
    """Begins with motion; times are int nanoseconds of the node's clock."""

    def __init__(self, now_ns: int, max_duration_s: float) -> None:
        """max_duration_s: 0 for a run without a limit."""
        self._start_ns, self._max_s = now_ns, max_duration_s
        self._cancelled = False
        self._over: Finding | None = None
        self._over_ns = now_ns

    def cancel(self) -> None:
        """End the run at the next look."""
        self._cancelled = True

    def elapsed_s(self, now_ns: int) -> float:
        """Return the time since it began; never negative, whatever the clock does."""
        return max(0, now_ns - self._start_ns) / SECOND_NS

    def look(
        self, now_ns: int, *, started: bool, at_rest: bool, last_stop: Finding | None
    ) -> RunStep:
        """Return what to do now.

        Args:
            now_ns: The node's clock.
            started: Whether the robot may move.
            at_rest: Whether the hold has arrived.
            last_stop: Why motion ended last, None where it never did.
        """
        if self._over is None and not started:
            stopped = last_stop or Finding(Reason.NOT_STARTED)
            return RunStep(end=RunEnd(False, stopped, self.elapsed_s(now_ns)))
        if self._over is None:
            self._over = self._reason_to_end(now_ns)
            self._over_ns = now_ns
            return RunStep(stop=self._over)
        if at_rest or now_ns - self._over_ns > _REST_LIMIT_S * SECOND_NS:
            return RunStep(end=RunEnd(True, self._over, self.elapsed_s(self._over_ns)))
        return RunStep()

    def _reason_to_end(self, now_ns: int) -> Finding | None:
        if self._cancelled:
            return Finding(Reason.RUN_ENDED, "cancelled")
        if 0.0 < self._max_s <= self.elapsed_s(now_ns):
            return Finding(Reason.RUN_ENDED, f"after {self._max_s:g} s")
        return None
