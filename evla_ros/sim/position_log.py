# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where everything in a simulated world was, a few times a second, in one file to film it later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError

LOG_HZ = 10.0
Array = npt.NDArray[np.float64]


class PositionLog:
    """Rows of episode, time [s] and `qpos`; `write` makes the file."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, float, Array]] = []

    def add(self, episode: int, time_s: float, positions: Array) -> None:
        """Keep a copy of a moment."""
        self._rows.append((episode, time_s, positions.copy()))

    def write(self, path: Path) -> None:
        """Write everything so far as NPZ."""
        episodes, times, positions = zip(*self._rows, strict=True) if self._rows else ((), (), ())
        with path.open("wb") as file:
            np.savez(file, episode=episodes, time_s=times, positions=np.array(positions))


def read_positions(path: Path, episode: int) -> tuple[Array, Array]:
    """Return the times [N] and positions [N, nq] of an episode; EvlaError without a file."""
    if not path.is_file():
        raise EvlaError(f"{path}: the simulated robot left no positions; did it end by itself?")
    with np.load(path, allow_pickle=False) as log:
        chosen = log["episode"] == episode
        return log["time_s"][chosen], log["positions"][chosen]
