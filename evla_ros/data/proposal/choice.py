# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a file could say at one place: candidates, the likeliest first, and who chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class Candidate(NamedTuple, Generic[T]):
    """value: what the file would say. label: what a person reads. score: higher is likelier."""

    value: T
    label: str
    score: float


class Chooser(Protocol):
    """Takes one of several candidates."""

    def choose(self, question: str, labels: Sequence[str]) -> int:
        """Return the place of the chosen one."""
        ...


class Likeliest:
    """Takes the first."""

    def choose(self, question: str, labels: Sequence[str]) -> int:  # noqa: ARG002 - as the protocol
        """Return 0."""
        return 0


def ranked(candidates: Sequence[Candidate[T]]) -> list[Candidate[T]]:
    """Return the candidates, the likeliest first; of equals in their order."""
    return sorted(candidates, key=lambda one: -one.score)


def pick(
    chooser: Chooser, question: str, candidates: Sequence[Candidate[T]]
) -> tuple[Candidate[T], list[Candidate[T]]]:
    """Return the chosen candidate and the others; a single one is taken without a question."""
    if len(candidates) == 1:
        return candidates[0], []
    place = chooser.choose(question, [one.label for one in candidates])
    return candidates[place], [one for i, one in enumerate(candidates) if i != place]
