# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A hash that tells whether a bag on a disk is the one of before."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from evla_ros.reading.text_files import regular_file

_ENDS = 1 << 16


def bag_key(path: Path) -> str:
    """Return a hash that changes when a bag's files do.

    It covers name, size, modification time and the first and last 64 KiB of each file.
    """
    digest = hashlib.sha256(os.fsencode(path.absolute()))
    try:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if not regular_file(file):
                digest.update(_identity(file))
    except OSError as error:  # opening the bag says it again, as the reason why it is not converted
        digest.update(repr(error).encode())
    return digest.hexdigest()


def _identity(file: Path) -> bytes:
    """Return what changes when a file does."""
    status = file.stat()
    with file.open("rb") as stream:
        head = stream.read(_ENDS)
        stream.seek(max(0, status.st_size - _ENDS))
        tail = stream.read(_ENDS)
    line = f" {status.st_size} {status.st_mtime_ns}\n".encode()
    return os.fsencode(file.name) + line + head + tail
