# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How fast a topic arrives, and whether that is as it should be."""

from __future__ import annotations

from collections import deque
from enum import IntEnum

SECOND = 1_000_000_000
WINDOW_NS = 2 * SECOND


class TopicState(IntEnum):
    """The numbers of RecorderStatus.msg."""

    MISSING = 0
    OK = 1
    SLOW = 2
    STALLED = 3


class RateMeter:
    """Rate over the last two seconds against the best rate seen and a floor.

    Slow: below 70 % of the best sustained rate, or below `floor_hz`. Stalled: silent for longer
    than `stall_ns` (or five periods, whichever is longer). A topic without an expected rate
    (`floor_hz` 0: a latched instruction, a gripper command) is never slow and never stalled.
    """

    def __init__(self, floor_hz: float = 0.0, stall_ns: int = SECOND) -> None:
        self._floor_hz = floor_hz
        self._stall_ns = stall_ns
        self._times: deque[int] = deque()
        self._best_hz = 0.0
        self.count = 0
        self.last_ns: int | None = None
        self.largest_gap_ns = 0

    def observe(self, receive_ns: int) -> None:
        """Count one message."""
        if self.last_ns is not None:
            self.largest_gap_ns = max(self.largest_gap_ns, receive_ns - self.last_ns)
        self.last_ns = receive_ns
        self.count += 1
        self._times.append(receive_ns)
        while self._times[0] < receive_ns - WINDOW_NS:
            self._times.popleft()

    def rate_hz(self, now_ns: int) -> float:
        """Return messages per second over the window that ends now."""
        while self._times and self._times[0] < now_ns - WINDOW_NS:
            self._times.popleft()
        if len(self._times) < 2:
            return 0.0
        span = max(now_ns - self._times[0], 1)
        rate = (len(self._times) - 1) * SECOND / max(self._times[-1] - self._times[0], 1)
        if now_ns - self._times[-1] > 2 * SECOND / max(rate, 1e-6):
            rate = len(self._times) * SECOND / span
        if span > WINDOW_NS // 2:
            self._best_hz = max(self._best_hz, rate)
        return rate

    def age_s(self, now_ns: int) -> float:
        """Return seconds since the newest message, -1 before the first."""
        return -1.0 if self.last_ns is None else (now_ns - self.last_ns) / SECOND

    def state(self, now_ns: int) -> TopicState:
        """Judge the topic now."""
        if self.last_ns is None:
            return TopicState.MISSING
        if self._floor_hz <= 0.0:
            return TopicState.OK
        rate = self.rate_hz(now_ns)
        allowed = max(self._stall_ns, round(5 * SECOND / self._floor_hz))
        if now_ns - self.last_ns > allowed:
            return TopicState.STALLED
        settled = len(self._times) >= 3 and now_ns - self._times[0] > WINDOW_NS // 2
        if settled and rate < max(0.7 * self._best_hz, 0.95 * self._floor_hz):
            return TopicState.SLOW
        return TopicState.OK

    @property
    def expected_hz(self) -> float:
        """The rate it should have: the best seen, at least the floor."""
        return max(self._best_hz, self._floor_hz)

    def reset_episode(self) -> None:
        """Begin the counts of a new episode; the learned rate stays."""
        self.count = 0
        self.largest_gap_ns = 0
