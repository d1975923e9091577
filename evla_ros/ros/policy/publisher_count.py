# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether two publishers share a topic, and how many of its samples were lost on the way."""

from __future__ import annotations

from collections import deque

_WINDOW_NS = 2_000_000_000
_STEPS = 3


class PublisherCount:
    """Reads the sequence numbers that the middleware gives the samples of each publisher.

    One publisher counts up; a restarted one steps back once; two keep doing so.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.lost = 0
        self._last: int | None = None
        self._steps_back: deque[int] = deque(maxlen=8)

    def note(self, sequence: int | None, now_ns: int) -> None:
        """Take the number of a sample that has arrived, None where the middleware has none."""
        if sequence is None:
            return
        if self._last is not None:
            if sequence <= self._last:
                self._steps_back.append(now_ns)
            else:
                self.lost += sequence - self._last - 1
        self._last = sequence

    def conflict(self, now_ns: int) -> bool:
        """Return whether samples of two publishers arrived in turn within the last seconds."""
        while self._steps_back and now_ns - self._steps_back[0] > _WINDOW_NS:
            self._steps_back.popleft()
        return len(self._steps_back) >= _STEPS

    def clear(self) -> None:
        """Forget when the steps were; after a clock jump their times mean nothing."""
        self._steps_back.clear()
