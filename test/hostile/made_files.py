# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What lies where a file should: pipes, folders, loops, devices, YAML that grows."""

from __future__ import annotations

import os
from pathlib import Path

LAUGHS = "a: &a [1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def make_no_file(path: Path, how: str) -> None:
    path.unlink(missing_ok=True)
    if how == "pipe":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    else:
        path.symlink_to({"loop": path.name, "zeros": "/dev/zero", "memory": "/proc/self/mem"}[how])
