# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who may move the robot: named sources claim, the strongest fresh claim holds, the rest wait.

A person beats the policy, the policy beats idleness; of two people the first keeps the authority
until the dead-man is released or falls silent. Every change is a hand-over: the new holder has to
start from the measured pose, so nothing jumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Rank(IntEnum):
    """How strong a claim is."""

    IDLE = 0
    POLICY = 1
    TELEOP = 2


@dataclass(frozen=True)
class Holder:
    """Who has the authority."""

    name: str
    rank: Rank


IDLE = "idle"


class Authority:
    """Claims are repeated while a dead-man is held; one that is not repeated runs out."""

    def __init__(self, expires_ns: int) -> None:
        """`expires_ns`: how long a claim lasts after it was last made."""
        self._expires_ns = expires_ns
        self._claims: dict[str, tuple[Rank, int, int]] = {}  # rank, first, last
        self._holder = Holder(IDLE, Rank.IDLE)

    def claim(self, name: str, rank: Rank, now_ns: int) -> None:
        """Say that a source wants to move the robot now."""
        known = self._claims.get(name)
        alive = known is not None and now_ns - known[2] <= self._expires_ns
        first = known[1] if known is not None and alive else now_ns
        self._claims[name] = (rank, first, now_ns)

    def release(self, name: str) -> None:
        """Say that a source lets go."""
        self._claims.pop(name, None)

    def update(self, now_ns: int) -> Holder:
        """Return who holds now; a change of name is a hand-over."""
        fresh = {
            name: claim
            for name, claim in self._claims.items()
            if now_ns - claim[2] <= self._expires_ns
        }
        self._claims = fresh
        best = max(
            fresh.items(),
            key=lambda item: (item[1][0], -item[1][1], item[0] == self._holder.name),
            default=None,
        )
        name, rank = (IDLE, Rank.IDLE) if best is None else (best[0], best[1][0])
        if name != self._holder.name:
            self._holder = Holder(name, rank)
        return self._holder

    @property
    def holder(self) -> Holder:
        """Who held at the last update."""
        return self._holder
