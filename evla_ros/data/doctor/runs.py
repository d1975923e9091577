# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the longest run of a condition over steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.spans import complete_spans

FloatColumn = npt.NDArray[np.floating[Any]]  # [T]
Flags = npt.NDArray[np.bool_]  # [T]


def longest_run(flags: Flags) -> int:
    """Return the length of the longest run of True in [T] bool."""
    return max((span.length for span in complete_spans(flags)), default=0)
