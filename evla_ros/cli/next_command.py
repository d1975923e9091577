# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The last line of a command: what one does next, ready to be typed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TextIO


def say_next(*words: str | Path, then: str = "", file: TextIO | None = None) -> None:
    """Print the command made of these words, quoted where the shell asks for it.

    Args:
        words: The command.
        then: Follows it on the line.
        file: Where the line goes; standard error where the output is for scripts to read.
    """
    print(f"next: {shlex.join(map(str, words))}{then}", file=file, flush=True)
