# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Notices when the node's clock jumps: synchronisation, a looping bag, a simulator reset."""

from __future__ import annotations


class ClockWatch:
    """Compares the node's clock with a monotonic one between two looks."""

    def __init__(self, *, simulated: bool, tolerance_s: float = 0.25) -> None:
        """Simulated: any speed is fine, yet not backwards, nor more than 2 s at once."""
        self._simulated = simulated
        self._tolerance_ns = round(tolerance_s * 1e9)
        self._last: tuple[int, int] | None = None

    def reset(self) -> None:
        """Start anew."""
        self._last = None

    def jumped(self, now_ns: int, monotonic_ns: int) -> bool:
        """Return whether the clock jumped since the last look."""
        last, self._last = self._last, (now_ns, monotonic_ns)
        if last is None:
            return False
        passed_ns, really_ns = now_ns - last[0], monotonic_ns - last[1]
        if passed_ns < -self._tolerance_ns:
            return True
        if self._simulated:
            return passed_ns > max(2_000_000_000, 20 * really_ns)
        return abs(passed_ns - really_ns) > self._tolerance_ns
