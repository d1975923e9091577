# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Number all steps of a split, and shuffle them in full with eight bytes for each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class StepIndex:
    """`ends[i]` is the number of steps in episodes 0..i."""

    ends: npt.NDArray[np.int64]  # [episodes]

    @staticmethod
    def from_lengths(lengths: Sequence[int]) -> StepIndex:
        """Build the index from the steps of every episode."""
        return StepIndex(np.cumsum(np.asarray(lengths, dtype=np.int64), dtype=np.int64))

    def __len__(self) -> int:
        return int(self.ends[-1]) if self.ends.size else 0

    def locate(self, step: int) -> tuple[int, int]:
        """Return (episode, step inside it) of a step number.

        Raises:
            IndexError: There is no such step.
        """
        if not 0 <= step < len(self):
            raise IndexError(f"step {step} of {len(self)}")
        episode = int(np.searchsorted(self.ends, step, side="right"))
        start = int(self.ends[episode - 1]) if episode else 0
        return episode, step - start

    def shuffled(self, seed: int, *, skip: int = 0) -> Iterator[tuple[int, int]]:
        """Yield every (episode, step) once, in an order that depends on `seed` alone.

        It is a full permutation, so early and late episodes mix.

        Args:
            seed: Seed of the permutation.
            skip: Pairs to leave out at the start, to resume an epoch.
        """
        order = np.random.default_rng(seed).permutation(len(self))
        return (self.locate(int(step)) for step in order[skip:])
