# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Number the steps to sample: twelve bytes an episode, and a bit a step where some are left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class SampledSteps:
    """Samples 0, 1, ... -> (episode, step inside it)."""

    def __init__(
        self,
        first: npt.NDArray[np.int32],
        ends: npt.NDArray[np.int64],
        gaps: dict[int, npt.NDArray[np.uint8]],
    ) -> None:
        """Take what `Builder` collected.

        Args:
            first: [E] the first sampled step of each episode.
            ends: [E] how many samples there are up to the end of each episode.
            gaps: Episode -> the bits of the sampled steps from `first` on, where some are left out.
        """
        self._first, self._ends, self._gaps = first, ends, gaps

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, number: int) -> tuple[int, int]:
        """Return (episode, step) of a sample."""
        if not 0 <= number < len(self):
            raise IndexError(f"sample {number} of {len(self)}")
        episode = int(np.searchsorted(self._ends, number, side="right"))
        inside = number - (int(self._ends[episode - 1]) if episode else 0)
        bits = self._gaps.get(episode)
        if bits is not None:
            inside = int(np.flatnonzero(np.unpackbits(bits))[inside])
        return episode, int(self._first[episode]) + inside

    class Builder:
        """Collects the steps of one episode after the other."""

        def __init__(self) -> None:
            self._first: list[int] = []
            self._ends: list[int] = []
            self._gaps: dict[int, npt.NDArray[np.uint8]] = {}

        def add(self, first: int, steps: npt.NDArray[np.int32]) -> None:
            """Take the sampled steps of the next episode, ascending, none before `first`."""
            first = int(steps[0]) if len(steps) else first
            if len(steps) and int(steps[-1]) - first + 1 > len(steps):
                bits = np.zeros(int(steps[-1]) - first + 1, dtype=np.uint8)
                bits[steps - first] = 1
                self._gaps[len(self._first)] = np.packbits(bits)
            self._first.append(first)
            self._ends.append((self._ends[-1] if self._ends else 0) + len(steps))

        def result(self) -> SampledSteps:
            """Return the steps so far."""
            first = np.asarray(self._first, dtype=np.int32)
            return SampledSteps(first, np.asarray(self._ends, dtype=np.int64), self._gaps)
