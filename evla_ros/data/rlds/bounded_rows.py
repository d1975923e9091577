# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Statistics of any number of rows in bounded memory: exact but for the quantiles of many rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.statistics import column_statistics

FloatArray = npt.NDArray[np.float32]
MOST_ROWS = 1 << 18  # a quantile of so many is off by 0.0002 of the rows


class BoundedRows:
    """Rows [N, D] that were added piece by piece.

    All are kept until they are more than `most`; from then on every second, fourth, ... one, while
    count, mean, spread and extremes go over all.
    """

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most, self._every, self.count = most, 1, 0
        self._pieces: list[FloatArray] = []
        self._kept = 0
        self._sum: Any = 0.0
        self._squares: Any = 0.0
        self._low: Any = np.inf
        self._high: Any = -np.inf

    def add(self, rows: FloatArray) -> None:
        """Add rows [N, D]; they are copied."""
        if not len(rows):
            return
        wide = rows.astype(np.float64)
        self._sum = self._sum + wide.sum(axis=0)
        self._squares = self._squares + np.square(wide).sum(axis=0)
        self._low = np.minimum(self._low, rows.min(axis=0))
        self._high = np.maximum(self._high, rows.max(axis=0))
        kept = np.array(rows[-self.count % self._every :: self._every], dtype=np.float32)
        self._pieces.append(kept)
        self.count += len(rows)
        self._kept += len(kept)
        while self._kept > self._most:
            self._pieces = [self.rows()[::2]]
            self._kept, self._every = len(self._pieces[0]), 2 * self._every

    @property
    def complete(self) -> bool:
        """Whether every row is kept."""
        return self._every == 1

    @property
    def extremes(self) -> list[tuple[float, float]]:
        """The least and the highest number of each column."""
        return list(zip(np.atleast_1d(self._low), np.atleast_1d(self._high), strict=True))

    def rows(self) -> FloatArray:
        """Return the kept rows, [M, D]."""
        if len(self._pieces) != 1:
            self._pieces = [np.concatenate(self._pieces)]
        return self._pieces[0]

    def statistics(self, what: str) -> dict[str, Any]:
        """Return mean, std (of the population), max, min, q01 and q99 of each column.

        Args:
            what: What the rows are, for messages.

        Raises:
            DatasetError: A number is not finite.
        """
        found = column_statistics(self.rows(), what)
        if self.complete:
            return found
        mean = self._sum / self.count
        spread = np.sqrt(np.maximum(self._squares / self.count - np.square(mean), 0))
        exact = {"mean": mean, "std": spread, "min": self._low, "max": self._high}
        return {**found, **{key: np.asarray(value).tolist() for key, value in exact.items()}}
