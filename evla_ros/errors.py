# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The root of every error that a user can cause; its message is one sentence that names the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EvlaError(Exception):
    """A user's mistake or a failed precondition: what, the offending value, and what fixes it."""


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest valid name, or the list of valid names."""
    names = list(valid)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"valid names: {', '.join(names) if names else 'none'}"
