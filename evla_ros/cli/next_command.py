# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last line of a command: what one does next, ready to be typed."""

from __future__ import annotations

import shlex
from pathlib import Path


def say_next(*words: str | Path, then: str = "") -> None:
    """Print the command made of these words, quoted where the shell asks for it; `then` follows."""
    print(f"next: {shlex.join(map(str, words))}{then}", flush=True)
