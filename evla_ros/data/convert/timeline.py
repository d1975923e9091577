# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One time line for streams with header stamps and streams without."""

from __future__ import annotations

from typing import Literal

from evla_ros.data.messages import HEADER_FIRST, header_stamp_ns
from evla_ros.errors import EvlaError

_OTHER_CLOCK_NS = 5_000_000_000


class TimelineError(EvlaError):
    """Stamps that no time line can be made of."""


class Timeline:
    """Stamps messages by header or receive time.

    Messages without a header (a gripper's Float64) are stamped by their receive time, moved by the
    offset between the two clocks when the headers run on another clock (simulated time).
    """

    def __init__(self, mode: Literal["header", "receive"]) -> None:
        self._mode = mode
        self._offset_ns: int | None = None

    @property
    def receive(self) -> bool:
        """Whether receive times rule."""
        return self._mode == "receive"

    @property
    def offset_ns(self) -> int:
        """Receive clock minus header clock, 0 while they agree within seconds."""
        return self._offset_ns or 0

    def stamp_ns(self, topic: str, message_type: str, receive_ns: int, data: bytes) -> int | None:
        """Return the stamp of a message; None while a header-less one cannot be placed yet."""
        if self._mode == "receive":
            return receive_ns
        if message_type not in HEADER_FIRST:
            return None if self._offset_ns is None else receive_ns - self._offset_ns
        stamp = header_stamp_ns(data)
        if stamp == 0:
            raise TimelineError(
                f"{topic} has header stamps of 0; align by receive time (--time receive)"
            )
        if self._offset_ns is None:
            apart = receive_ns - stamp
            self._offset_ns = apart if abs(apart) > _OTHER_CLOCK_NS else 0
        return stamp
