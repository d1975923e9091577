# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The dead-man of the page, timed here: a browser that is silent has let go. Reads no clock."""

from __future__ import annotations


class DeadMan:
    """A press has a number and lives while its page repeats it; one that ran out stays out.

    A network that stalls delivers old messages in a burst: they belong to a press that is over, and
    the operator has to press again.
    """

    def __init__(self, limit_s: float) -> None:
        """`limit_s`: silence that counts as let go [s]."""
        self._limit_s = limit_s
        self._page = ""
        self._press = 0
        self._last_s = 0.0
        self._over: dict[str, int] = {}

    @property
    def held_by(self) -> str:
        """The page that holds it; empty: nobody."""
        return self._page

    def hold(self, page: str, press: int, now_s: float) -> bool:
        """Take that a page holds its press; returns whether it counts."""
        self.expired(now_s)
        if self._page == page and press > self._press:
            self._end()  # a newer press of the same page
        if self._page not in ("", page) or press <= self._over.get(page, 0):
            return False
        self._page, self._press, self._last_s = page, press, now_s
        return True

    def release(self, page: str, press: int | None = None) -> bool:
        """Take that a page lets go; returns whether it held."""
        if press is not None:
            self._over[page] = max(press, self._over.get(page, 0))
        if self._page != page:
            return False
        self._end()
        return True

    def end(self) -> bool:
        """Let go for whoever holds it; returns whether somebody did."""
        held = bool(self._page)
        if held:
            self._end()
        return held

    def expired(self, now_s: float) -> bool:
        """Let go when the page has been silent for too long; returns whether that happened now."""
        if not self._page or now_s - self._last_s <= self._limit_s:
            return False
        self._end()
        return True

    def forget(self, page: str) -> None:
        """Forget a page that has gone for good."""
        self._over.pop(page, None)

    def _end(self) -> None:
        self._over[self._page] = max(self._press, self._over.get(self._page, 0))
        self._page = ""
