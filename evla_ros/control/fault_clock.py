# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long something has kept the robot from moving, across faults that come, change and go."""

from __future__ import annotations

_HEALED_NS = 500_000_000


class FaultClock:
    """Counts from the last good moment before a fault; half a second without one ends the count.

    A fault that comes back sooner has never healed, whatever reason it gives the next time.
    """

    def __init__(self) -> None:
        """Start without a fault."""
        self._since_ns: int | None = None
        self._well_ns: int | None = None

    def clear(self) -> None:
        """Forget every fault."""
        self._since_ns = self._well_ns = None

    def fault(self, now_ns: int, before_ns: int) -> int:
        """Note a fault.

        Args:
            now_ns: The node's clock.
            before_ns: The last time that was looked.

        Returns:
            How long it lasts [ns].
        """
        self._well_ns = None
        if self._since_ns is None:
            self._since_ns = min(before_ns, now_ns)
        return now_ns - self._since_ns

    def well(self, now_ns: int) -> None:
        """Note that nothing is at fault."""
        if self._well_ns is None:
            self._well_ns = now_ns
        if now_ns - self._well_ns >= _HEALED_NS:
            self._since_ns = None
