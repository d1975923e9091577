# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A shuffled order of any length that needs no memory: position i is computed, not looked up.

It is a Feistel network over a grid that has just enough cells; what lands outside walks on (Black
and Rogaway, "Ciphers with arbitrary finite domains", 2002).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_ROUNDS = 4
_WORD = (1 << 64) - 1


class Shuffled:
    """The numbers 0 to size - 1, each once, in an order that `seed` decides."""

    def __init__(self, size: int, seed: Sequence[int]) -> None:
        """Take the length and the words of the seed."""
        self.size = size
        self._rows = max(1, math.isqrt(max(size - 1, 0)) + 1)
        self._columns = max(1, -(-size // self._rows))
        key = 0
        for word in seed:
            key = _mixed(key ^ _mixed(word & _WORD))
        self._keys = [_mixed(key + turn + 1) for turn in range(_ROUNDS)]

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, position: int) -> int:
        """Return the number at a position, 0 to size - 1."""
        if not 0 <= position < self.size:
            raise IndexError(f"position {position} of {self.size}")
        number = self._turned(position)
        while number >= self.size:
            number = self._turned(number)
        return number

    def _turned(self, number: int) -> int:
        row, column = divmod(number, self._columns)
        for turn, key in enumerate(self._keys):
            if turn & 1:
                column = (column + _mixed(row ^ key)) % self._columns
            else:
                row = (row + _mixed(column ^ key)) % self._rows
        return row * self._columns + column


def _mixed(value: int) -> int:
    """Return 64 bits that depend on all bits of a value (splitmix64, Steele et al. 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & _WORD
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _WORD
    return value ^ (value >> 31)
