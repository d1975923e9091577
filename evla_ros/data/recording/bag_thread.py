# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that writes one bag from a bounded queue; what does not fit is counted."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator

from evla_ros.data.bags.writer import McapBagWriter
from evla_ros.data.recording.preroll import Record

FLUSH_S = 0.5
METADATA_S = 5.0


class BagThread:
    """Owns the writer of one episode from open to close.

    `put` never blocks the caller. What is half a second old is on its way to the disk, so that a
    killed recorder loses less than a second.
    """

    def __init__(self, writer: McapBagWriter, max_bytes: int) -> None:
        self._writer = writer
        self._max_bytes = max_bytes
        self._queue: deque[Record] = deque()
        self._queued_bytes = 0
        self._condition = threading.Condition()
        self._writing = threading.Lock()
        self._closing = False
        self.lost: dict[int, int] = {}
        self.error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="bag-writer", daemon=True)
        self._thread.start()

    @property
    def writer(self) -> McapBagWriter:
        """The bag; only its counters may be read while the thread runs."""
        return self._writer

    @property
    def queued(self) -> int:
        """Messages that wait for the writer."""
        return len(self._queue)

    def put(self, record: Record) -> bool:
        """Queue a message; False (and counted as lost) when the queue is full or writing failed."""
        with self._condition:
            full = self._queued_bytes + len(record.data) > self._max_bytes
            if full or self.error is not None or self._closing:
                self.lost[record.topic] = self.lost.get(record.topic, 0) + 1
                return False
            self._queue.append(record)
            self._queued_bytes += len(record.data)
            self._condition.notify()
            return True

    @contextlib.contextmanager
    def paused(self) -> Iterator[McapBagWriter]:
        """Lend the writer to the caller while the thread is between two batches."""
        with self._writing:
            yield self._writer

    def close(self, custom_data: dict[str, str], *, durable: bool = True) -> None:
        """Write what is queued and finish the bag; raises the OSError of a full disk."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()
        if self.error is not None:
            self._writer.abandon()
            raise self.error
        self._writer.custom_data.update(custom_data)
        self._writer.close(durable=durable)

    def _run(self) -> None:
        flushed = described = time.monotonic()
        while True:
            with self._condition:
                if not self._queue and not self._closing:
                    self._condition.wait(timeout=FLUSH_S)
                batch = list(self._queue)
                self._queue.clear()
                closing = self._closing
            try:
                with self._writing:
                    for record in batch:
                        self._writer.write(*_arguments(record))
                    now = time.monotonic()
                    if now - flushed >= FLUSH_S:
                        self._writer.flush()
                        flushed = now
                    if now - described >= METADATA_S:
                        self._writer.write_metadata()
                        described = now
            except OSError as error:
                self.error = error
                return
            with self._condition:
                self._queued_bytes -= sum(len(record.data) for record in batch)
                if closing and not self._queue:
                    return


def _arguments(record: Record) -> tuple[int, bytes, int, int]:
    return record.topic, record.data, record.receive_ns, record.publish_ns
