# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that writes one bag from a bounded queue; messages that do not fit are lost."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator

from evla_ros.data.bags.writer import McapBagWriter
from evla_ros.data.recording.preroll import Record

FLUSH_S = 0.5
METADATA_S = 5.0


class BagThread:
    """Owns the bag writer of one episode from open to close.

    `put` never blocks the caller. Data is handed to the system every half second, so a killed
    recorder loses less than a second.
    """

    def __init__(self, writer: McapBagWriter, max_bytes: int) -> None:
        self._writer = writer
        self._max_bytes = max_bytes
        self._queue: deque[Record] = deque()
        self._queued_bytes = 0
        self._condition = threading.Condition()
        self._writing = threading.Lock()
        self._closing = self._flush_asked = False
        self._unflushed: Counter[int] = Counter()
        self.lost: Counter[int] = Counter()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="bag-writer", daemon=True)
        self._thread.start()

    @property
    def writer(self) -> McapBagWriter:
        """The bag writer; while the thread runs only its counters may be read."""
        return self._writer

    @property
    def queued(self) -> int:
        """The number of messages that wait to be written."""
        return len(self._queue)

    def put(self, record: Record) -> bool:
        """Queue a message.

        Returns:
            False when the queue is full or writing has failed; the message is then counted as lost.
        """
        with self._condition:
            full = self._queued_bytes + len(record.data) > self._max_bytes
            if full or self.error is not None or self._closing:
                self.lost[record.topic] += 1
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

    def flush(self) -> None:
        """Hand what is queued to the disk as soon as it is written."""
        with self._condition:
            self._flush_asked = True
            self._condition.notify()

    def fail(self, error: Exception, unwritten: Iterable[Record] = ()) -> None:
        """End writing for good; what is not in the bag is counted as lost.

        What no flush has confirmed counts as lost too, though some of it may be readable.
        """
        with self._condition:
            if self.error is not None:
                return
            self.error = error
            self.lost.update(record.topic for record in (*unwritten, *self._queue))
            self.lost.update(self._unflushed)
            self._queue.clear()
            self._queued_bytes = 0
            self._condition.notify()

    @property
    def unconfirmed(self) -> Counter[int]:
        """Messages by topic that were written, and are lost since no flush confirmed them."""
        return self._unflushed if self.error is not None else Counter()

    def close(self, custom_data: dict[str, str], *, durable: bool = True) -> None:
        """Write what is queued and finish the bag.

        Args:
            custom_data: The final custom data of the bag.
            durable: Wait until everything is on the disk.

        Raises:
            Exception: Whatever ended the writing, such as the OSError of a full disk.
        """
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()
        if self.error is None:
            self._writer.custom_data.update(custom_data)
            try:
                self._writer.close(durable=durable)
            except Exception as error:  # noqa: BLE001 - raised below
                self.fail(error)
        if self.error is not None:
            self._writer.abandon()
            raise self.error

    def _run(self) -> None:
        flushed = described = time.monotonic()
        while self.error is None:
            with self._condition:
                if not self._queue and not self._closing and not self._flush_asked:
                    self._condition.wait(timeout=FLUSH_S)
                batch = deque(self._queue)
                self._queue.clear()
                size = sum(len(record.data) for record in batch)
                closing, flush, self._flush_asked = self._closing, self._flush_asked, False
            try:
                with self._writing:
                    self._write(batch)
                    now = time.monotonic()
                    if flush or now - flushed >= FLUSH_S:
                        self._flush()
                        flushed = now
                    if now - described >= METADATA_S:
                        self._writer.write_metadata()
                        described = now
            except Exception as error:  # noqa: BLE001 - `watch` reports it and ends the episode
                with self._writing, contextlib.suppress(Exception):
                    self._flush()
                self.fail(error, batch)
                return
            with self._condition:
                self._queued_bytes -= size
                if closing and not self._queue:
                    return

    def _write(self, batch: deque[Record]) -> None:
        """Write the batch; what is left in it after an error was not written."""
        while batch:
            record = batch[0]
            self._writer.write(record.topic, record.data, record.receive_ns, record.publish_ns)
            self._unflushed[record.topic] += 1
            batch.popleft()

    def _flush(self) -> None:
        self._writer.flush()
        self._unflushed.clear()
