# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many samples per second each input stream brings, from counts taken now and then."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 2.0


class RateMeter:
    """Rate of a counter over the last two seconds."""

    def __init__(self) -> None:
        """Start without a rate."""
        self._looks: deque[tuple[float, int]] = deque()

    def rate_hz(self, time_s: float, count: int) -> float:
        """Look at the counter; returns its rate, 0 at the first look."""
        self._looks.append((time_s, count))
        while len(self._looks) > 2 and self._looks[1][0] <= time_s - _WINDOW_S:
            self._looks.popleft()
        first_s, first = self._looks[0]
        return (count - first) / (time_s - first_s) if time_s > first_s else 0.0
