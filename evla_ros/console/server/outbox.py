# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What waits to be sent to one page: answers in order, of states the newest alone."""

from __future__ import annotations

import asyncio
from collections import deque

MOST_WAITING = 200
REPLACED, TOO_SLOW = 4000, 1013  # codes of the closing handshake


class Outbox:
    """A page that reads slowly misses states, never answers; one that reads nothing is closed."""

    def __init__(self) -> None:
        self._messages: deque[str] = deque()
        self._state = ""
        self._something = asyncio.Event()
        self.ended: tuple[int, str] | None = None

    def put(self, text: str) -> None:
        """Add an answer."""
        if len(self._messages) >= MOST_WAITING:
            self.end(TOO_SLOW, "the page does not read what it is sent")
        else:
            self._messages.append(text)
        self._something.set()

    def end(self, code: int, why: str) -> None:
        """Send nothing more; the connection is closed with this code."""
        self.ended = (code, why)
        self._something.set()

    def put_state(self, text: str) -> None:
        """Replace the state that waits."""
        self._state = text
        self._something.set()

    async def next(self) -> str | None:
        """Return what is sent next, as soon as there is something; None at the end."""
        await self._something.wait()
        if self.ended:
            return None
        if self._messages:
            text = self._messages.popleft()
        else:
            text, self._state = self._state, ""
        if not self._messages and not self._state:
            self._something.clear()
        return text
