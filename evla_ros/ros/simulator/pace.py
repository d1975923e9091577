# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How fast simulated time may go, and how fast it went; knows neither ROS nor physics."""

from __future__ import annotations

from collections import deque

from evla_ros.units import SECOND_NS

_WINDOW_NS = SECOND_NS


class Pace:
    """Compares ticks with the wall clock; times are arguments, in monotonic nanoseconds."""

    def __init__(self, tick_ns: int, speed: float, max_behind_ns: int = 200_000_000) -> None:
        """Take the pace to keep.

        Args:
            tick_ns: Simulated time of a tick.
            speed: Simulated seconds per second.
            max_behind_ns: A longer delay is given up, not made up for.
        """
        self._wall_per_tick_ns = tick_ns / speed
        self._tick_ns = tick_ns
        self._max_behind_ns = max_behind_ns
        self._next_ns: float | None = None
        self._done: deque[int] = deque()
        self._first_ns: int | None = None
        self.lost_ns = 0

    def due(self, now_ns: int) -> bool:
        """Return whether a tick is due; the caller then runs it and asks again."""
        if self._next_ns is None:
            self._next_ns = float(now_ns)
        behind = now_ns - self._next_ns
        if behind > self._max_behind_ns:
            self.lost_ns += round(behind)
            self._next_ns = float(now_ns)
        if now_ns < self._next_ns:
            return False
        self._next_ns += self._wall_per_tick_ns
        return True

    def done(self, now_ns: int) -> None:
        """Note that a tick was run."""
        self._first_ns = now_ns if self._first_ns is None else self._first_ns
        self._done.append(now_ns)
        while self._done[0] <= now_ns - _WINDOW_NS:
            self._done.popleft()

    def factor(self, now_ns: int) -> float:
        """Return simulated seconds per second over the last second (less after the start)."""
        if self._first_ns is None:
            return 0.0
        span_ns = min(_WINDOW_NS, max(now_ns - self._first_ns, self._tick_ns))
        recent = sum(stamp > now_ns - span_ns for stamp in self._done)
        return recent * self._tick_ns / span_ns
