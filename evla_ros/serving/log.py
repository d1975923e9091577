# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One JSON object a line, for whatever collects logs."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, TextIO


class JsonLog:
    """Writes events to a stream, standard output by default."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Take the stream."""
        self._stream = stream

    def write(self, event: str, **fields: Any) -> None:
        """Write an event with the time and its fields."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **fields}, default=str)
        print(line, file=self._stream or sys.stdout, flush=True)
