# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read one MCAP file from its start, record by record, with checksums.

What the index at the end of a file promises is not relied on: a file without one, in another order
than that of time (rosbag2's preset `fastwrite`), or without an end (power cut) is read all the
same. The format: https://mcap.dev/spec.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from evla_ros.data.bags.mcap_fields import (
    BadBytesError,
    parse_channel,
    parse_message,
    parse_schema,
    parse_statistics,
)
from evla_ros.data.bags.mcap_records import (
    MCAP_MAGIC,
    NO_END,
    Opcode,
    Record,
    chunk_records,
    summary_records,
    top_records,
    unpacked_size,
)
from evla_ros.data.bags.packing import PackingError, check_expansion, is_packed, open_storage
from evla_ros.data.bags.types import BagError, BagMessage, TopicInfo
from evla_ros.errors import shown

_MESSAGE = int(Opcode.MESSAGE)


class McapFile:
    """The messages of one file.

    Attributes:
        path: The file.
        topics: The topics by name, with the number of their messages.
        start_ns: Receive time of the first message [ns]; None without messages.
        end_ns: Receive time of the last message [ns].
        damage: What was lost, once that is known; None while nothing is.
    """

    storage = "mcap"

    def __init__(self, path: Path) -> None:
        """Look at the beginning and, where there is a usable one, at the index.

        Raises:
            BagError: It is no MCAP file, nothing of it can be read, or ROS 1 wrote it.
        """
        self.path = path
        self.damage: str | None = None
        self.start_ns: int | None = None
        self.end_ns: int | None = None
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self._channels: dict[int, TopicInfo] = {}
        self._promised: int | None = None
        self._checked = False  # whether every checksum was compared already
        with open_storage(path) as stream:
            if stream.read(len(MCAP_MAGIC)) != MCAP_MAGIC:
                raise BagError(f"{shown(path)} does not begin like an MCAP file")
        self._size = path.stat().st_size
        self._complete = not is_packed(path) and self._has_end()
        counts = self._index_counts() or self._true_counts()
        known = {topic.name: topic for topic in self._channels.values()}
        self.topics = {name: known[name].with_count(n) for name, n in sorted(counts.items())}

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yield the messages in the order of the file.

        A file without its end is read up to the damage, and `damage` is set.

        Raises:
            BagError: A complete file contradicts its checksums.
        """
        seen, at, unpacked = 0, 0, 0
        try:
            with open_storage(self.path) as stream:
                for record in top_records(stream, self._size if not is_packed(self.path) else None):
                    at = record.at
                    unpacked += unpacked_size(record)
                    check_expansion(unpacked, self.path)
                    for message in self._messages_of(record):
                        seen += 1
                        if topics is None or message.topic in topics:
                            yield message
        except (BadBytesError, PackingError) as error:
            if self._complete:
                raise BagError(
                    f"{shown(self.path)} breaks after {seen} messages: {error}"
                ) from error
            self.damage = (
                f"{shown(self.path.name)} is damaged near byte {at} of {self._size} ({error}); "
                "the messages before it were kept"
            )
        else:
            self._checked = True
        if self._promised is not None and seen < self._promised:
            self.damage = f"{seen} of {self._promised} messages that its index counts are there"

    def _messages_of(self, record: Record) -> Iterator[BagMessage]:
        """Yield the messages of a record, and take what else it describes."""
        packed = record.opcode == Opcode.CHUNK
        for one in chunk_records(record, check=not self._checked) if packed else (record,):
            if one.opcode != _MESSAGE:
                self._describe(one)
                continue
            channel, log_time, data = parse_message(one.content)
            topic = self._channels.get(channel)
            if topic is None:
                raise BadBytesError(f"a message of channel {channel}, which is not described")
            yield BagMessage(topic.name, log_time, bytes(data))

    def _describe(self, record: Record) -> None:
        """Take schemas, channels and the number of messages."""
        if record.opcode == Opcode.SCHEMA:
            number, *schema = parse_schema(record.content)
            self._schemas[number] = (schema[0], schema[1], schema[2])
        elif record.opcode == Opcode.CHANNEL:
            channel = parse_channel(record.content)
            name, kind, text = self._schemas.get(channel.schema, ("", "", ""))
            if channel.encoding == "ros1" or kind == "ros1msg":
                raise BagError(
                    f"{shown(self.path)} is a ROS 1 recording: convert the .bag that it came from "
                    "with `rosbags-convert` (pip install rosbags), then convert that"
                )
            known = self._channels.get(channel.number)
            if known is not None and known.name != channel.topic:
                raise BadBytesError(f"channel {channel.number} is described as two topics")
            self._channels[channel.number] = TopicInfo(
                channel.topic, name, None, text, channel.qos, channel.encoding
            )
        elif record.opcode == Opcode.STATISTICS:
            self._promised = parse_statistics(record.content).messages

    def _has_end(self) -> bool:
        with self.path.open("rb") as stream:
            stream.seek(-min(self._size, len(MCAP_MAGIC)), 2)
            return self._size > 2 * len(MCAP_MAGIC) and stream.read() == MCAP_MAGIC

    def _index_counts(self) -> dict[str, int]:
        """Return the messages of each topic by the index; empty where it has no answer."""
        if not self._complete:
            return {}
        counts: dict[int, int] = {}
        try:
            for record in summary_records(self.path):
                self._describe(record)
                if record.opcode == Opcode.STATISTICS:
                    statistics = parse_statistics(record.content)
                    counts = statistics.by_channel
                    if counts:
                        self.start_ns, self.end_ns = statistics.start_ns, statistics.end_ns
        except BadBytesError:
            counts = {}
            self._channels.clear()
            self._schemas.clear()
        if not counts or not counts.keys() <= self._channels.keys():
            self._promised = None
            return {}
        totals = {topic.name: 0 for topic in self._channels.values()}
        for channel, count in counts.items():
            totals[self._channels[channel].name] += count
        return totals

    def _true_counts(self) -> dict[str, int]:
        """Return the messages of each topic by reading all of them."""
        counts: dict[str, int] = {}
        for message in self.messages():
            stamp, first, last = message.receive_ns, self.start_ns, self.end_ns
            self.start_ns = stamp if first is None else min(first, stamp)
            self.end_ns = stamp if last is None else max(last, stamp)
            counts[message.topic] = counts.get(message.topic, 0) + 1
        if not counts and self.damage and NO_END not in self.damage:
            raise BagError(f"{shown(self.path)} holds no readable message: {self.damage}")
        return {**{topic.name: 0 for topic in self._channels.values()}, **counts}
