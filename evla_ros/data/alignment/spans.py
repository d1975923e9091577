# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gaps in a recording: the contiguous spans of complete ticks between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Ticks [start, stop)."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of ticks."""
        return self.stop - self.start


def complete_spans(complete: Sequence[bool]) -> list[Span]:
    """Return the maximal runs of complete ticks, in order."""
    spans: list[Span] = []
    start: int | None = None
    for index, good in enumerate([*complete, False]):
        if good and start is None:
            start = index
        elif not good and start is not None:
            spans.append(Span(start, index))
            start = None
    return spans


def longest(spans: Sequence[Span]) -> Span | None:
    """Return the longest span, the first of equals, or None."""
    return max(spans, key=lambda span: span.length, default=None)
