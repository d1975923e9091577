# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Put the messages of a file in the order of their receive times, holding only a few of them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from evla_ros.data.bags.types import BagError, BagMessage, WriteOrder
from evla_ros.reading.limits import HELD_BYTES

_OVERHEAD_BYTES = 400  # of a message besides its data


def in_time_order(messages: Iterable[BagMessage], written: WriteOrder) -> Iterator[BagMessage]:
    """Yield messages by receive time; of equal times the one that was written first comes first.

    Args:
        messages: As the recorder wrote them.
        written: How far out of order they may lie, and where the recorder's clock was set back.

    Raises:
        BagError: So much lies out of order that it cannot be held in memory.
    """
    if not written.disorder_ns and not written.steps:
        yield from messages
        return
    waiting: list[tuple[int, int, BagMessage]] = []
    held, newest, most = 0, -1, HELD_BYTES.value
    steps = sorted(written.steps)
    for message in messages:
        if steps and message.number >= steps[0]:
            steps.pop(0)
            yield from _rest(waiting)
            held, newest = 0, -1
        newest = max(newest, message.receive_ns)
        heapq.heappush(waiting, (message.receive_ns, message.number, message))
        held += len(message.data) + _OVERHEAD_BYTES
        while waiting and waiting[0][0] <= newest - written.disorder_ns:
            first = heapq.heappop(waiting)[2]
            held -= len(first.data) + _OVERHEAD_BYTES
            yield first
        if held > most:
            raise BagError(
                f"messages lie {written.disorder_ns / 1e9:.1f} s out of order, and wait for each "
                f"other with {HELD_BYTES.sentence(held)}; `mcap sort` puts a file in order"
            )
    yield from _rest(waiting)


def _rest(waiting: list[tuple[int, int, BagMessage]]) -> Iterator[BagMessage]:
    while waiting:
        yield heapq.heappop(waiting)[2]
