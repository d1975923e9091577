# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Longest runs of a condition over steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatColumn = npt.NDArray[np.floating[Any]]  # [T]
Flags = npt.NDArray[np.bool_]  # [T]


def longest_run(flags: Flags) -> int:
    """Return the length of the longest run of True in [T]."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max()) if edges.size else 0
