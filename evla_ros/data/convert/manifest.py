# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The list of bags that are converted already: one JSON line for each, so that a run can resume.

A last line that was cut off by a kill is ignored.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from evla_ros.data.convert.bag_job import BagResult
from evla_ros.reading.limits import CAPTIONS_BYTES
from evla_ros.reading.text_files import TextError, parse_json, read_text


class Manifest:
    """The finished bags of one staging folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: dict[str, BagResult] = {}
        if path.is_file():
            for line in read_text(path, CAPTIONS_BYTES).splitlines():
                try:
                    entry = parse_json(line, path.name)
                    self._done[entry["key"]] = BagResult.from_json(entry["result"])
                except (TextError, ValueError, KeyError, TypeError, AttributeError):
                    continue  # a line that was cut off by a kill

    def get(self, key: str) -> BagResult | None:
        """Return the stored result for this key, or None when the bag is new or has changed."""
        return self._done.get(key)

    def add(self, key: str, result: BagResult) -> None:
        """Append a result and wait until it is on the disk."""
        self._done[key] = result
        line = json.dumps({"key": key, "result": result.to_json()}, sort_keys=True)
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write("\n" + line + "\n")
            stream.flush()
            os.fsync(stream.fileno())
