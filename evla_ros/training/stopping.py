# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM end a training loop after its step; a second one ends it at once."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAME_S = 2.0  # a terminal and torchrun both send one: within this time they are one request


class StopRequest:
    """Records in `asked` whether the user asked to stop, inside a `with` block.

    Outside the main thread signals are not handled.
    """

    def __init__(self, *, speaks: bool = True) -> None:
        """`speaks` prints that the request was received."""
        self.asked = False
        self._speaks, self._since = speaks, 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:  # noqa: PYI034  typing.Self is 3.11
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._heard) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _heard(self, *_: object) -> None:
        now = time.monotonic()
        if self.asked and now - self._since > _SAME_S:
            raise KeyboardInterrupt
        if self.asked:
            return
        self.asked, self._since = True, now
        if self._speaks:
            text = "stopping after this step; once more stops at once, without saving"
            print(f"\n{text}", file=sys.stderr, flush=True)
