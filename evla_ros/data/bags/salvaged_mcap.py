# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files without a usable end (power cut, SIGKILL, cut copy): every message before the damage.

The stream is read from its start through `mcap`'s streaming reader, with checksums, and stops at
the first byte that is not right; what was lost is said in `info.damage`.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.data.bags.types import BagError, BagInfo, BagMessage, TopicInfo

if TYPE_CHECKING:
    from typing_extensions import Self

_MAGIC = b"\x89MCAP0\r\n"
_CHUNK_OPCODE = 0x06


class SalvagedMcap:
    """The readable beginning of one or several MCAP files."""

    def __init__(self, path: Path, why: str) -> None:
        """Scan the files once for topics and damage; BagError when no message can be saved."""
        self._files = [path] if path.is_file() else _storage_files(path)
        information = None
        if path.is_dir():
            try:
                information = read_metadata(path)
            except BagError:
                information = None
        self.info = BagInfo(path, "mcap", {}, custom_data=custom_data(information))
        self.info.ros_distro = str((information or {}).get("ros_distro") or "")
        self._why = why
        self._scan()

    def _scan(self) -> None:
        counts: dict[str, int] = {}
        found: dict[str, TopicInfo] = {}
        for topic, message in self._walk():
            if counts.get(topic.name) is None:
                found[topic.name] = topic
            counts[topic.name] = counts.get(topic.name, 0) + 1
            first, last = self.info.start_ns, self.info.end_ns
            stamp = message.receive_ns
            self.info.start_ns = stamp if first is None else min(first, stamp)
            self.info.end_ns = stamp if last is None else max(last, stamp)
        if not counts:
            raise BagError(f"{self.info.path} holds no readable message: {self._why}")
        self.info.topics = {
            name: TopicInfo(name, topic.type, counts[name], topic.definition, topic.qos)
            for name, topic in sorted(found.items())
        }

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yield the saved messages in the order of the file."""
        for topic, message in self._walk():
            if topics is None or topic.name in topics:
                yield message

    def _walk(self) -> Iterator[tuple[TopicInfo, BagMessage]]:
        for file in self._files:
            size = file.stat().st_size
            with file.open("rb") as stream:
                reason = yield from self._walk_stream(stream, size)
                if reason is not None:
                    at = min(stream.tell(), size)
                    self.info.damage = (
                        f"{file.name} is damaged near byte {at} of {size} ({reason}); "
                        "the messages before it were kept"
                    )

    def _walk_stream(
        self, stream: IO[bytes], size: int
    ) -> Generator[tuple[TopicInfo, BagMessage], None, str | None]:
        """Yield what can be read; return why it ended early, or None at a proper end."""
        library = _library()
        known = _Known({}, {})
        start = 0
        records = library.StreamReader(stream, validate_crcs=True, record_size_limit=size + 64)
        iterator = iter(records.records)
        while True:
            try:
                record = next(iterator)
                found = known.message(record)
            except StopIteration:
                return None
            except Exception as error:  # noqa: BLE001 - the library leaks errors of all kinds
                reason = str(error).strip() or type(error).__name__
                break
            if found is not None:
                yield found
            start = stream.tell()
        rest = _cut_chunk(stream, start)
        if rest is not None:
            iterator = iter(library.StreamReader(io.BytesIO(rest), skip_magic=True).records)
            with contextlib.suppress(Exception):  # it must end early: the chunk is cut
                for record in iterator:
                    found = known.message(record)
                    if found is not None:
                        yield found
        return reason

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing stays open between walks."""


def _library() -> Any:
    try:
        import mcap.stream_reader
    except ImportError as error:
        raise BagError(
            "saving a damaged MCAP file needs the library mcap: pip install 'evla_ros[data]'"
        ) from error
    return mcap.stream_reader


class _Known(NamedTuple):
    schemas: dict[int, Any]
    channels: dict[int, TopicInfo]

    def message(self, record: Any) -> tuple[TopicInfo, BagMessage] | None:
        """Remember schemas and channels; return the message when the record is one."""
        kind = type(record).__name__
        if kind == "Schema":
            self.schemas[record.id] = record
        elif kind == "Channel":
            self.channels[record.id] = _topic_of(record, self.schemas)
        elif kind == "Message" and record.channel_id in self.channels:
            topic = self.channels[record.channel_id]
            return topic, BagMessage(topic.name, record.log_time, record.data)
        return None


def _cut_chunk(stream: IO[bytes], start: int) -> bytes | None:
    """Return the content of an uncompressed chunk that the end of the file cuts, else None."""
    stream.seek(start)
    head = stream.read(9 + 32)
    if len(head) < 41 or head[0] != _CHUNK_OPCODE or head[37:41] != bytes(4):
        return None
    stream.seek(8, 1)
    rest = stream.read()
    length = int.from_bytes(head[1:9], "little")
    return rest if len(rest) + 40 < length else None


def _topic_of(channel: Any, schemas: dict[int, Any]) -> TopicInfo:
    schema = schemas.get(channel.schema_id)
    definition = schema.data.decode("utf-8", "replace") if schema else ""
    qos = channel.metadata.get("offered_qos_profiles", "")
    return TopicInfo(channel.topic, schema.name if schema else "", None, definition, qos)


def _storage_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.mcap"), key=_split_number)
    if not files:
        raise BagError(f"{folder} holds neither metadata.yaml nor an .mcap or .db3 file")
    return files


def _split_number(file: Path) -> tuple[int, str]:
    tail = file.stem.rsplit("_", 1)[-1]
    return (int(tail) if tail.isdigit() else 0, file.name)


def looks_like_mcap(path: Path) -> bool:
    """Return whether the file, or a file of the folder, begins like an MCAP file."""
    files = [path] if path.is_file() else sorted(path.glob("*.mcap"))
    for file in files:
        with file.open("rb") as stream:
            if stream.read(8) == _MAGIC:
                return True
    return False
