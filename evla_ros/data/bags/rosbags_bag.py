# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Healthy bags, sqlite3 or MCAP, of any ROS 2 recorder, through the `rosbags` library."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from evla_ros.data.bags.types import BagError, BagInfo, BagMessage, TopicInfo

if TYPE_CHECKING:
    from typing_extensions import Self


def _library() -> Any:
    try:
        import rosbags.rosbag2
    except ImportError as error:
        raise BagError(
            "reading bags needs the library rosbags: pip install 'evla_ros[data]'"
        ) from error
    return rosbags.rosbag2


class RosbagsBag:
    """One rosbag2 folder, or one lone .mcap or .db3 file."""

    def __init__(self, path: Path) -> None:
        """Open it; BagError with the library's reason when that fails."""
        self._path = path
        self._reader = _library().Reader(path)
        try:
            self._reader.open()
        except Exception as error:  # the library leaks AssertionError, struct.error, apsw errors
            raise BagError(f"{path} cannot be opened: {_reason(error)}") from error
        try:
            self.info = self._describe()
        except BaseException:
            self._reader.close()
            raise

    def _describe(self) -> BagInfo:
        reader = self._reader
        topics = {}
        for name, topic in sorted(reader.topics.items()):
            if topic.msgtype is None:
                raise BagError(f"{self._path}: topic {name} carries several message types")
            topics[name] = TopicInfo(name, topic.msgtype, topic.msgcount, topic.msgdef.data)
        folder = self._path if self._path.is_dir() else None
        storage = "mcap" if _has_mcap(self._path) else "sqlite3"
        metadata = reader.storage.metadata
        empty = reader.message_count == 0
        return BagInfo(
            path=self._path,
            storage=storage,
            topics=topics,
            start_ns=None if empty else int(reader.start_time),
            end_ns=None if empty else int(reader.end_time) - 1,
            custom_data=dict(metadata.custom or {}) if folder else {},
            ros_distro=reader.ros_distro or "",
        )

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yield messages in time order; BagError when the file breaks on the way."""
        expected = sum(t.count or 0 for t in self.info.topics.values() if _named(t.name, topics))
        seen = 0
        try:
            for message in self._read(topics):
                seen += 1
                yield message
        except GeneratorExit:
            raise
        except Exception as error:
            raise BagError(
                f"{self._path} breaks after {seen} messages: {_reason(error)}"
            ) from error
        if seen < expected:
            self.info.damage = f"{seen} of {expected} messages that its metadata counts are there"

    def _read(self, topics: Collection[str] | None) -> Iterator[BagMessage]:
        """Read the storage files one by one, by topic name.

        The library's own loop over a folder also compares the QoS of metadata.yaml with that of the
        storage, and silently yields nothing where they differ (bags of ROS 2 Foxy to Humble).
        """
        storage = self._reader.storage
        unpack = _decompressor() if storage.metadata.compression_mode == "message" else None
        for part in getattr(storage, "storages", [storage]):
            wanted = [c for c in part.connections if _named(c.topic, topics)]
            if not wanted:
                continue
            for connection, stamp, data in part.messages(wanted, None, None):
                yield BagMessage(connection.topic, stamp, unpack(data) if unpack else data)

    def __enter__(self) -> Self:
        """Return itself; it is open already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the files."""
        self._reader.close()


def _named(name: str, topics: Collection[str] | None) -> bool:
    return topics is None or name in topics


def _decompressor() -> Callable[[bytes], bytes]:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return cast("Callable[[bytes], bytes]", zstd.decompress)


def _has_mcap(path: Path) -> bool:
    return path.suffix == ".mcap" if path.is_file() else any(path.glob("*.mcap"))


def _reason(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0].rstrip(".") if text and text[0] else type(error).__name__
