# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the clocks say between two ticks: time to move, gaps, jumps, a clock that stands still."""

from __future__ import annotations

from typing import NamedTuple

_STANDS_NS = 1_000_000_000
_LEAST_GAP_NS = 250_000_000
_JUMP_NS = 250_000_000
_SIMULATED_JUMP_NS = 2_000_000_000
_FASTEST_SIMULATION = 20


class Elapsed(NamedTuple):
    """Time since the last tick.

    dt_s: what goals may use of it [s]; 0 at the first tick and while the clock stands.
    passed_s: all of it [s], at least dt_s. Where ticks were late it is more: the goal goes no
    further for that, and so has been slower.
    """

    dt_s: float
    passed_s: float


class Beat(NamedTuple):
    """One look at the clocks.

    before_ns: the node's clock at the last tick. gap_ns: time without a tick that is too long for
    motion to go on by itself, 0 when it is not. stands: simulated time has not moved for a second.
    """

    elapsed: Elapsed
    before_ns: int
    gap_ns: int
    jumped: bool
    stands: bool


class TickClock:
    """Compares the node's clock and a monotonic one from tick to tick."""

    def __init__(self, *, simulated: bool, max_dt_s: float, max_gap_s: float) -> None:
        """Take the limits.

        Args:
            simulated: The node's clock is a simulator's: goals follow it, not real time.
            max_dt_s: Goals move no further at once than they may in this time.
            max_gap_s: A longer time without a tick is a stop (but a quarter of a second never is).
        """
        self._simulated = simulated
        self._max_dt_s = max_dt_s
        self._max_gap_ns = max(round(max_gap_s * 1e9), _LEAST_GAP_NS)
        self._last: tuple[int, int] | None = None
        self._moved_ns = 0

    def reset(self) -> None:
        """Start anew: the next look is the first."""
        self._last = None

    def look(self, now_ns: int, monotonic_ns: int) -> Beat:
        """Return what passed since the last look.

        Args:
            now_ns: The node's clock.
            monotonic_ns: A clock that nobody sets.
        """
        last, self._last = self._last, (now_ns, monotonic_ns)
        if last is None or now_ns != last[0]:
            self._moved_ns = monotonic_ns
        if last is None:
            return Beat(Elapsed(0.0, 0.0), now_ns, 0, jumped=False, stands=False)
        really_ns = monotonic_ns - last[1]
        passed_ns = max(now_ns - last[0] if self._simulated else really_ns, 0)
        gap_ns = max(passed_ns, really_ns)
        dt_s = min(passed_ns / 1e9, self._max_dt_s)
        return Beat(
            Elapsed(dt_s, passed_ns / 1e9),
            last[0],
            gap_ns if gap_ns > self._max_gap_ns else 0,
            jumped=self._jumped(now_ns - last[0], really_ns),
            stands=self._simulated and monotonic_ns - self._moved_ns > _STANDS_NS,
        )

    def _jumped(self, passed_ns: int, really_ns: int) -> bool:
        """Return whether the node's clock was set, or its simulator reset, between two looks.

        Simulated time may run at any speed up to twenty times real time, and in steps of up to two
        seconds; it never goes back.
        """
        if passed_ns < -_JUMP_NS:
            return True
        if self._simulated:
            return passed_ns > max(_SIMULATED_JUMP_NS, _FASTEST_SIMULATION * really_ns)
        return abs(passed_ns - really_ns) > _JUMP_NS
