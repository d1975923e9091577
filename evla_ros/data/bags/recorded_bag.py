# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One recording: the messages of its storage files, one file after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evla_ros.data.bags.metadata import custom_data
from evla_ros.data.bags.packing import ZSTD_MAGIC, PackingError, unpack_zstd
from evla_ros.data.bags.storage_files import StorageFile
from evla_ros.data.bags.time_order import in_time_order
from evla_ros.data.bags.types import BagError, BagInfo, BagMessage, TopicInfo, WriteOrder
from evla_ros.errors import shown
from evla_ros.reading.limits import CHUNK_BYTES

if TYPE_CHECKING:
    from typing_extensions import Self


class RecordedBag:
    """A bag folder, or one of its files."""

    def __init__(
        self,
        path: Path,
        files: Sequence[StorageFile],
        information: Mapping[str, Any],
        damage: str | None = None,
    ) -> None:
        """Join the files.

        Args:
            path: The folder or the file.
            files: The storage files in order.
            information: What metadata.yaml says; empty without one.
            damage: What is known to be lost already.

        Raises:
            BagError: A topic carries different types in two files.
        """
        self._files = files
        self._promised = _promised_counts(information)
        topics: dict[str, TopicInfo] = {}
        for file in files:
            for name, topic in file.topics.items():
                topics[name] = topic.joined(topics.get(name))
        starts = [file.start_ns for file in files if file.start_ns is not None]
        ends = [file.end_ns for file in files if file.end_ns is not None]
        self.info = BagInfo(
            path=path,
            storage=files[0].storage,
            topics={name: _with_qos(topics[name], information) for name in sorted(topics)},
            start_ns=min(starts, default=None),
            end_ns=max(ends, default=None),
            custom_data=custom_data(information),
            ros_distro=str(information.get("ros_distro") or ""),
            damage=next((file.damage for file in files if file.damage), damage),
        )

    def messages(
        self, topics: Collection[str] | None = None, written: WriteOrder | None = None
    ) -> Iterator[BagMessage]:
        """Yield messages by receive time, file after file.

        Args:
            topics: The topics to read; None reads all.
            written: How they lie in the files, if that is known.

        Raises:
            BagError: A file is damaged.
        """
        order = written or WriteOrder()
        for file in self._numbered(topics):
            yield from in_time_order(file, order)
        self._check_counts(topics)

    def as_written(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yield messages in the order in which the recorder wrote them.

        Raises:
            BagError: A file is damaged.
        """
        for file in self._numbered(topics):
            yield from file
        self._check_counts(topics)

    def _numbered(self, topics: Collection[str] | None) -> Iterator[Iterator[BagMessage]]:
        """Yield the messages of each file, numbered through the bag and unpacked."""
        self._seen: dict[str, int] = {}
        number = 0

        def read(file: StorageFile) -> Iterator[BagMessage]:
            nonlocal number
            for message in file.messages(topics):
                data = message.data
                if data[:4] == ZSTD_MAGIC:  # a CDR message begins with a zero byte
                    data = self._unpacked(message)
                self._seen[message.topic] = self._seen.get(message.topic, 0) + 1
                yield BagMessage(message.topic, message.receive_ns, data, number)
                number += 1

        for file in self._files:
            yield read(file)
            if file.damage and not self.info.damage:
                self.info.damage = file.damage

    def _unpacked(self, message: BagMessage) -> bytes:
        try:
            return unpack_zstd(message.data, CHUNK_BYTES.value)
        except PackingError as error:
            raise BagError(
                f"{shown(self.info.path)}: a message of {shown(message.topic)} cannot be unpacked: "
                f"{error} (EVLA_MAX_CHUNK_BYTES is the limit)"
            ) from error

    def _check_counts(self, topics: Collection[str] | None) -> None:
        """Compare what was there with what metadata.yaml counts."""
        named = [n for n in self._promised if topics is None or n in topics]
        promised = sum(self._promised[name] for name in named)
        seen = sum(self._seen.get(name, 0) for name in named)
        if seen < promised and not self.info.damage:
            self.info.damage = f"{seen} of {promised} messages that its metadata counts are there"

    def __enter__(self) -> Self:
        """Return itself; it is open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between two readings."""


def _topic_entries(information: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Yield (description, count) of every topic that metadata.yaml lists in a usable form."""
    listed = information.get("topics_with_message_count")
    for entry in listed if isinstance(listed, list) else []:
        if not isinstance(entry, dict):
            continue
        topic, count = entry.get("topic_metadata"), entry.get("message_count")
        if isinstance(topic, dict):
            yield topic, count if isinstance(count, int) else 0


def _promised_counts(information: Mapping[str, Any]) -> dict[str, int]:
    return {str(topic.get("name")): count for topic, count in _topic_entries(information)}


def _with_qos(topic: TopicInfo, information: Mapping[str, Any]) -> TopicInfo:
    """Return the topic with the quality of service of metadata.yaml where the file has none."""
    if topic.qos:
        return topic
    for listed, _ in _topic_entries(information):
        offered = listed.get("offered_qos_profiles")
        if listed.get("name") == topic.name and offered:
            text = offered if isinstance(offered, str) else _as_words(offered)
            return topic.with_qos(text)
    return topic


def _as_words(offered: object) -> str:
    """Return profiles that were written as YAML lists as the text that `latched` reads."""
    profiles = offered if isinstance(offered, list) else []
    lines = [f"{k}: {v}" for p in profiles if isinstance(p, dict) for k, v in p.items()]
    return "\n".join(lines)
