# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which of several sources every number of an endless stream draws from, by its share.

The draws from a source are numbered without a gap, so that an epoch over it leaves nothing out, and
its share is exact over every block of the stream. Any number can be asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_BLOCK, _KEPT = 1024, 8
Array = npt.NDArray[np.int64]


class Interleave:
    """Sources with shares that sum to 1."""

    def __init__(self, shares: Sequence[float], seed: int) -> None:
        """Take a positive share for each source, of any sum, and the seed of the order."""
        whole = np.asarray(shares, dtype=np.float64)
        self._shares, self._seed = whole / whole.sum(), seed
        self._recent: OrderedDict[int, tuple[int, Array, Array]] = OrderedDict()

    def __getitem__(self, number: int) -> tuple[int, int]:
        """Return (source, number of this draw among those of the source), both from 0."""
        if len(self._shares) == 1:
            return 0, number
        block = max(0, number // _BLOCK)
        while self._begun(block).sum() > number:
            block -= 1
        while self._begun(block + 1).sum() <= number:
            block += 1
        first, sources, ranks = self._block(block)
        return int(sources[number - first]), int(ranks[number - first])

    def _begun(self, block: int) -> Array:
        """Return how many draws of each source lie before a block."""
        return np.asarray(np.floor(block * _BLOCK * self._shares), dtype=np.int64)

    def _block(self, block: int) -> tuple[int, Array, Array]:
        """Return the first number of a block, and the sources and ranks of its numbers."""
        if block not in self._recent:
            before, after = self._begun(block), self._begun(block + 1)
            sources = np.repeat(np.arange(len(before)), after - before)
            np.random.default_rng([self._seed, 2, block]).shuffle(sources)
            ranks = np.empty_like(sources)
            for which in range(len(before)):
                mine = sources == which
                ranks[mine] = before[which] + np.arange(int(mine.sum()))
            self._recent[block] = (int(before.sum()), sources, ranks)
            if len(self._recent) > _KEPT:
                self._recent.popitem(last=False)
        return self._recent[block]
