# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether what a policy returned can be used at all; nothing of a broken chunk is."""

from __future__ import annotations

import numpy as np

from evla_ros.policy.types import Chunk


def chunk_problem(chunk: Chunk, chunk_length: int, action_dim: int) -> str:
    """Return what is wrong with the actions in a few words, '' when they are usable."""
    actions = chunk.actions
    if not isinstance(actions, np.ndarray) or actions.dtype.kind not in "fiu":
        return f"actions are {type(actions).__name__}, not an array of numbers"
    if actions.shape != (chunk_length, action_dim):
        return f"shape {list(actions.shape)} instead of {[chunk_length, action_dim]}"
    bad = np.argwhere(~np.isfinite(actions))
    if len(bad):
        row, column = bad[0]
        return f"{len(bad)} numbers are not finite, the first one in row {row} column {column}"
    return ""
