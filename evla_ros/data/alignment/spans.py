# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the contiguous spans of complete ticks between the gaps of a recording."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Span(NamedTuple):
    """The ticks from `start` up to, but not including, `stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of ticks."""
        return self.stop - self.start


def complete_spans(
    complete: Sequence[bool] | npt.NDArray[np.bool_], cuts: Sequence[int] = ()
) -> list[Span]:
    """Return the maximal runs of True in `complete` [N], in order.

    Args:
        complete: [N].
        cuts: Places at which a run ends and another begins, though no False lies between.
    """
    edges = np.flatnonzero(np.diff([False, *complete, False])).tolist()
    spans = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        inner = sorted({cut for cut in cuts if start < cut < stop})
        spans += [Span(a, b) for a, b in itertools.pairwise([start, *inner, stop])]
    return spans


def longest(spans: Sequence[Span]) -> Span | None:
    """Return the longest span (the first of equals), or None when there is none."""
    return max(spans, key=lambda span: span.length, default=None)
