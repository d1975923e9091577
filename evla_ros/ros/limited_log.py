# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A log for lines that may come in floods: it writes a few at once, then one a second."""

from __future__ import annotations

import time
from collections.abc import Callable

_AT_ONCE = 5


class LimitedLog:
    """Lets lines through as long as there are few of them."""

    def __init__(
        self,
        write: Callable[[str], object],
        per_s: float = 1.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take where lines go.

        Args:
            write: Takes a line. A function of your own, not a bound method of rclpy's logger: that
                one knows its callers by their line of code, and takes one severity from each.
            per_s: Lines a second, in the long run.
            now_s: Reads a clock [s].
        """
        self._write, self._per_s, self._now_s = write, per_s, now_s
        self._left, self._looked_s, self._dropped = float(_AT_ONCE), now_s(), 0

    def say(self, line: str) -> bool:
        """Write a line, with the number of those left out before; False: it is left out itself."""
        now_s = self._now_s()
        earned = (now_s - self._looked_s) * self._per_s
        self._left, self._looked_s = min(_AT_ONCE, self._left + earned), now_s
        if self._left < 1.0:
            self._dropped += 1
            return False
        more = f" (and {self._dropped} lines before, left out)" if self._dropped else ""
        self._left, self._dropped = self._left - 1.0, 0
        self._write(f"{line}{more}")
        return True
