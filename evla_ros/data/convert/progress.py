# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Show on stderr how far a conversion has come."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from evla_ros.data.convert.bag_job import BagResult
from evla_ros.errors import shown


class Progress:
    """Prints bags done, rate and time left in one line; dropped bags keep a line of their own."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __call__(self, done: int, total: int, result: BagResult) -> None:
        """Show that `done` of `total` bags are converted, `result` being the latest."""
        elapsed = max(time.monotonic() - self._start, 1e-6)
        left = (total - done) * elapsed / max(done, 1)
        name = shown(Path(result.bag).name)
        line = f"[{done}/{total}] {name} {result.status} {done / elapsed:.1f} bags/s"
        line += f", {left:.0f} s left"
        end: Any = "\r" if self._terminal and result.status == "kept" else "\n"
        if self._terminal or result.status != "kept":
            print(
                f"\x1b[2K{line}" if self._terminal else line, end=end, file=sys.stderr, flush=True
            )
