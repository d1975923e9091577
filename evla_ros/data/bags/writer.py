# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write rosbag2 folders with MCAP storage from raw CDR bytes, without overwriting any."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evla_ros.data.bags.definitions import Definition
from evla_ros.data.bags.metadata import write_metadata
from evla_ros.data.bags.types import BagError, TopicInfo

if TYPE_CHECKING:
    from typing_extensions import Self

CHUNK_BYTES = 1 << 20


class McapBagWriter:
    """Writes one bag folder; topics may be added at any time.

    The data is not compressed, because compressing raw camera images costs much time and saves
    little. Call `flush` about once a second: what was flushed survives a SIGKILL. `custom_data` may
    be changed until `close`.
    """

    def __init__(
        self, folder: Path, custom_data: Mapping[str, str] | None = None, distro: str = ""
    ) -> None:
        """Create the folder and its files.

        Args:
            folder: The folder of the bag.
            custom_data: Custom data for metadata.yaml.
            distro: The ROS distribution for metadata.yaml.

        Raises:
            BagError: The folder exists already.
        """
        writer_module = _library()
        try:
            folder.mkdir(parents=True)
        except FileExistsError as error:
            raise BagError(f"{folder} exists already; bags are never overwritten") from error
        self.folder = folder
        self.custom_data: dict[str, str] = dict(custom_data or {})
        self.messages = 0
        self.bytes = 0
        self.start_ns: int | None = None
        self.end_ns = 0
        self._distro = distro
        self._file = folder / f"{folder.name}_0.mcap"
        self._stream = self._file.open("xb")
        self._writer = writer_module.Writer(
            self._stream,
            chunk_size=CHUNK_BYTES,
            compression=writer_module.CompressionType.NONE,
        )
        self._writer.start(profile="ros2", library="evla_ros")
        self._writer.flush()
        self._schemas: dict[str, int] = {}
        self._topics: dict[int, tuple[TopicInfo, str]] = {}
        self._counts: dict[int, int] = {}
        self._closed = False
        self.write_metadata()

    def add_topic(self, name: str, message_type: str, definition: Definition, qos: str = "") -> int:
        """Register a topic and return its channel number for `write`; `qos` is rosbag2's YAML."""
        schema = self._schemas.get(message_type)
        if schema is None:
            data = definition.text.encode("utf-8")
            schema = self._writer.register_schema(message_type, "ros2msg", data)
            self._schemas[message_type] = schema
        metadata = {"offered_qos_profiles": qos}
        if definition.type_hash:
            metadata["topic_type_hash"] = definition.type_hash
        channel = int(self._writer.register_channel(name, "cdr", schema, metadata))
        topic = TopicInfo(name, message_type, None, definition.text, qos)
        self._topics[channel] = (topic, definition.type_hash)
        self._counts[channel] = 0
        return channel

    def write(
        self, channel: int, data: bytes, receive_ns: int, publish_ns: int | None = None
    ) -> None:
        """Append one raw message.

        Args:
            channel: The number from `add_topic`.
            data: The message as CDR bytes.
            receive_ns: When it was received [ns].
            publish_ns: When it was published [ns]; None takes `receive_ns`.

        Raises:
            OSError: The disk is full.
        """
        count = self._counts[channel]
        published = receive_ns if publish_ns is None else publish_ns
        self._writer.add_message(channel, receive_ns, data, published, count & 0xFFFFFFFF)
        self._counts[channel] = count + 1
        self.messages += 1
        self.bytes += len(data)
        self.start_ns = receive_ns if self.start_ns is None else min(self.start_ns, receive_ns)
        self.end_ns = max(self.end_ns, receive_ns)

    @property
    def counts(self) -> dict[str, int]:
        """The number of messages written so far, by topic."""
        return {self._topics[channel][0].name: n for channel, n in self._counts.items()}

    def flush(self, *, durable: bool = False) -> None:
        """Close the chunk and hand everything to the system; with `durable`, to the disk."""
        self._writer.flush()
        if durable:
            os.fsync(self._stream.fileno())

    def write_metadata(self, *, durable: bool = False) -> None:
        """Write metadata.yaml for what the bag holds so far; without `durable` it does not wait."""
        write_metadata(
            self.folder,
            files=[self._file.name],
            topics=[(t, h, self._counts[c]) for c, (t, h) in self._topics.items()],
            start_ns=self.start_ns or 0,
            end_ns=max(self.end_ns, self.start_ns or 0),
            custom=self.custom_data,
            distro=self._distro,
            durable=durable,
        )

    def close(self, *, durable: bool = True) -> None:
        """Write the index and metadata.yaml, which completes the bag.

        With `durable`, wait until it is on the disk.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._writer.finish()
            self._stream.flush()
            if durable:
                os.fsync(self._stream.fileno())
        finally:
            self._stream.close()
        self.write_metadata(durable=durable)
        if durable:
            _sync_folder(self.folder)

    def abandon(self) -> None:
        """Close the file without an index, after a write error; the bag can still be salvaged."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError):  # the disk may still be full
                self._stream.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the bag, or leave it salvageable after an error."""
        if kind is None:
            self.close()
        else:
            self.abandon()


def _library() -> Any:
    try:
        import mcap.writer
    except ImportError as error:
        raise BagError(
            "writing bags needs the library mcap: pip install 'evla_ros[data]'"
        ) from error
    return mcap.writer


def _sync_folder(folder: Path) -> None:
    for path in (folder, folder.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
