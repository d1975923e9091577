# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keep the last seconds before a start, and the newest message of every latched topic."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple


class Record(NamedTuple):
    """One raw message on its way to the bag; `topic` is the number the recorder gave the topic."""

    topic: int
    data: bytes
    receive_ns: int
    publish_ns: int


class PrerollRing:
    """The messages of the last `seconds`, at most `max_bytes`; latched ones do not expire."""

    def __init__(self, seconds: float, max_bytes: int) -> None:
        self._span_ns = round(seconds * 1e9)
        self._max_bytes = max_bytes
        self._ring: deque[Record] = deque()
        self._bytes = 0
        self._latched: dict[int, Record] = {}

    def push(self, record: Record, *, latched: bool = False) -> None:
        """Keep a message; older ones are dropped when they exceed the time or the size."""
        if latched:
            self._latched[record.topic] = record
            return
        self._ring.append(record)
        self._bytes += len(record.data)
        oldest = record.receive_ns - self._span_ns
        while self._ring and (self._ring[0].receive_ns < oldest or self._bytes > self._max_bytes):
            self._bytes -= len(self._ring.popleft().data)

    def drain(self, now_ns: int) -> list[Record]:
        """Return the messages for the start of a bag, in time order, and empty the ring.

        Latched messages are given the start's time as their stamp, so that a bag does not begin
        hours early. They stay in the ring for the next episode.
        """
        records = [r for r in self._ring if r.receive_ns >= now_ns - self._span_ns]
        start = records[0].receive_ns if records else now_ns
        self._ring.clear()
        self._bytes = 0
        latched = [r._replace(receive_ns=start) for r in self._latched.values()]
        return [*latched, *records]
