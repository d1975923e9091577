# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was converted already: one JSON line per bag, durably; a torn last line is ignored."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from evla_ros.data.convert.bag_job import BagResult

_ENDS = 1 << 16


def bag_key(path: Path) -> str:
    """Return a hash of a bag's files by name, size, time of change, first and last 64 KiB."""
    digest = hashlib.sha256(str(path.resolve()).encode())
    files = [path] if path.is_file() else sorted(f for f in path.iterdir() if f.is_file())
    for file in files:
        status = file.stat()
        digest.update(f"{file.name} {status.st_size} {status.st_mtime_ns}\n".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(_ENDS))
            stream.seek(max(0, status.st_size - _ENDS))
            digest.update(stream.read(_ENDS))
    return digest.hexdigest()


class Manifest:
    """The lines of one staging folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: dict[str, BagResult] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self._done[entry["key"]] = BagResult.from_json(entry["result"])
                except (ValueError, KeyError, TypeError):
                    continue  # the line that a kill tore

    def get(self, key: str) -> BagResult | None:
        """Return the result of a bag that is unchanged since, or None."""
        return self._done.get(key)

    def add(self, key: str, result: BagResult) -> None:
        """Append a result and put it on the disk."""
        self._done[key] = result
        line = json.dumps({"key": key, "result": result.to_json()}, sort_keys=True)
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write("\n" + line + "\n")
            stream.flush()
            os.fsync(stream.fileno())
