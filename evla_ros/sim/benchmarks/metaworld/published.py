# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What others published on MT50, as facts: success in percent by difficulty group.

One policy for all tasks, 50 demonstrations a task, objects drawn anew at every reset, 10 trials a
task of up to 500 steps; the average is the mean of the four groups.
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """One published row; a group is None where only the mean was published.

    Attributes:
        policy: its name and size.
        source: where the numbers are from.
        easy, medium, hard, very_hard: success in percent.
        mean_of_groups: as published, in percent.
    """

    policy: str
    source: str
    easy: float | None
    medium: float | None
    hard: float | None
    very_hard: float | None
    mean_of_groups: float


_SMOLVLA = "arXiv 2506.01844, table 2"
PUBLISHED = (
    Published("Diffusion Policy", _SMOLVLA, 23.1, 10.7, 1.9, 6.1, 10.5),
    Published("TinyVLA", _SMOLVLA, 77.6, 21.5, 11.4, 15.8, 31.6),
    Published("pi0, 3.5 B", _SMOLVLA, 71.8, 48.2, 41.7, 30.0, 47.9),
    Published("SmolVLA, 0.24 B", _SMOLVLA, 86.4, 46.4, 35.0, 60.0, 57.0),
    Published("SmolVLA, 0.45 B", _SMOLVLA, 82.5, 41.8, 45.0, 60.0, 57.3),
    Published("SmolVLA, 2.25 B", _SMOLVLA, 87.1, 51.8, 70.0, 64.0, 68.2),
    Published("spiking VLA, 0.15 B", "its authors", None, None, None, None, 72.4),
    Published("ProgVLA, 0.1 B", "its authors", None, None, None, None, 78.5),
)
