# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many connections are open, and who leaves when there is no room."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

IDLE_S = 5.0


@dataclass(eq=False)
class Seat:
    """One connection.

    Attributes:
        client: who it is.
        connection: what is closed when it has to leave.
        busy: whether a question is being answered.
        since_s: when it last asked or was answered.
    """

    client: str
    connection: Any
    busy: bool = False
    since_s: float = field(default_factory=time.monotonic)
    opened_s: float = field(default_factory=time.monotonic)
    requests: int = 0
    late: int = 0
    refused: int = 0


class Seats:
    """At most so many; in a full house who holds most seats gives up the longest idle one."""

    def __init__(self, most: int) -> None:
        """Open the house."""
        self._most = most
        self._taken: set[Seat] = set()
        self._busy: set[Seat] = set()  # also those that had to give way
        self.quiet = asyncio.Event()  # set while nobody waits for an answer
        self.quiet.set()

    def __len__(self) -> int:
        """Return how many are taken."""
        return len(self._taken)

    def take(self, client: str, connection: Any) -> tuple[Seat | None, Seat | None]:
        """Return a seat and the one that has to leave for it; no seat when there is no room."""
        leaves = None
        if len(self._taken) >= self._most:
            leaves = self._idle_longest()
            if leaves is None:
                return None, None
            self._taken.discard(leaves)
        seat = Seat(client, connection)
        self._taken.add(seat)
        return seat, leaves

    def has_room(self) -> bool:
        """Return whether a seat is free, or would become free."""
        return len(self._taken) < self._most or self._idle_longest() is not None

    def leave(self, seat: Seat) -> None:
        """Free a seat."""
        self._taken.discard(seat)
        self.answered(seat)

    def asked(self, seat: Seat) -> None:
        """Note that a question came."""
        seat.busy, seat.since_s = True, time.monotonic()
        self._busy.add(seat)
        self.quiet.clear()

    def answered(self, seat: Seat) -> None:
        """Note that its answer went out, or is no longer wanted."""
        seat.busy, seat.since_s = False, time.monotonic()
        self._busy.discard(seat)
        if not self._busy:
            self.quiet.set()

    def _idle_longest(self) -> Seat | None:
        before_s = time.monotonic() - IDLE_S
        idle = [seat for seat in self._taken if not seat.busy and seat.since_s < before_s]
        held = Counter(seat.client for seat in self._taken)
        return max(idle, key=lambda seat: (held[seat.client], -seat.since_s), default=None)
