# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure how fast a topic arrives, and judge whether it is slow or stalled."""

from __future__ import annotations

from collections import deque
from enum import IntEnum

from evla_ros.units import SECOND_NS

WINDOW_NS = 2 * SECOND_NS
SUSTAINED = 3  # seconds in a row that a rate has to hold before it is expected


class TopicState(IntEnum):
    """The states of a topic, with the numbers of RecorderStatus.msg."""

    MISSING = 0
    OK = 1
    SLOW = 2
    STALLED = 3


class ArrivalMeter:
    """Compares a topic's rate over the last two seconds with the best rate that it has sustained.

    A rate counts as sustained when it held in each of three seconds in a row, so that a burst after
    a stall raises no expectation. A topic is slow below 70 % of that rate or below `floor_hz`. It
    is stalled when it is silent for longer than `stall_ns` or five periods, whichever is longer. An
    irregular topic (`floor_hz` 0, such as a latched instruction or a gripper command) is never slow
    or stalled.
    """

    def __init__(self, floor_hz: float = 0.0, stall_ns: int = SECOND_NS) -> None:
        self._floor_hz = floor_hz
        self._stall_ns = stall_ns
        self._times: deque[int] = deque()
        self._best_hz = 0.0
        self._second_start_ns = 0
        self._second_count = 0
        self._recent_hz: deque[float] = deque(maxlen=SUSTAINED)
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
        self._learn(receive_ns)

    def _learn(self, receive_ns: int) -> None:
        """At the end of a second, update the sustained rate from the last few seconds."""
        elapsed = receive_ns - self._second_start_ns
        if self._second_count and elapsed >= SECOND_NS:
            self._recent_hz.append(self._second_count * SECOND_NS / elapsed)
            if len(self._recent_hz) == SUSTAINED:
                self._best_hz = max(self._best_hz, min(self._recent_hz))
            self._second_count = 0
        if self._second_count == 0:
            self._second_start_ns = receive_ns
        self._second_count += 1

    def rate_hz(self, now_ns: int) -> float:
        """Return messages per second over the window that ends now."""
        while self._times and self._times[0] < now_ns - WINDOW_NS:
            self._times.popleft()
        if len(self._times) < 2:
            return 0.0
        span = max(now_ns - self._times[0], 1)
        rate = (len(self._times) - 1) * SECOND_NS / max(self._times[-1] - self._times[0], 1)
        if now_ns - self._times[-1] > 2 * SECOND_NS / max(rate, 1e-6):
            rate = len(self._times) * SECOND_NS / span
        return rate

    def age_s(self, now_ns: int) -> float:
        """Return the seconds since the newest message, or -1 before the first."""
        return -1.0 if self.last_ns is None else (now_ns - self.last_ns) / SECOND_NS

    def state(self, now_ns: int) -> TopicState:
        """Return the state of the topic at this time."""
        if self.last_ns is None:
            return TopicState.MISSING
        if self._floor_hz <= 0.0:
            return TopicState.OK
        rate = self.rate_hz(now_ns)
        allowed = max(self._stall_ns, round(5 * SECOND_NS / self._floor_hz))
        if now_ns - self.last_ns > allowed:
            return TopicState.STALLED
        settled = len(self._times) >= 3 and now_ns - self._times[0] > WINDOW_NS // 2
        if settled and rate < max(0.7 * self._best_hz, 0.95 * self._floor_hz):
            return TopicState.SLOW
        return TopicState.OK

    @property
    def expected_hz(self) -> float:
        """The best sustained rate, but at least `floor_hz`; 0 for an irregular topic."""
        return max(self._best_hz, self._floor_hz) if self._floor_hz > 0.0 else 0.0

    def reset_episode(self) -> None:
        """Reset the counters for a new episode; the sustained rate is kept."""
        self.count = 0
        self.largest_gap_ns = 0
