# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The records of an MCAP file: where each begins and ends, and the checksums of chunks."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from evla_ros.data.bags.mcap_fields import BadBytesError, text_at
from evla_ros.data.bags.packing import PackingError, Unpacked, unpack_lz4, unpack_zstd
from evla_ros.reading.limits import CHUNK_BYTES

MCAP_MAGIC = b"\x89MCAP0\r\n"
NO_END = "the file ends without its closing mark"
_BLOCK_BYTES = 1 << 20
_HEAD = struct.Struct("<BQ")  # opcode, length
_CHUNK = struct.Struct("<QQQI")  # start, end, unpacked size, checksum
_FOOTER = struct.Struct("<QQI")  # start of the summary, of its offsets, checksum


class Opcode(IntEnum):
    """The records that bags need."""

    HEADER = 0x01
    FOOTER = 0x02
    SCHEMA = 0x03
    CHANNEL = 0x04
    MESSAGE = 0x05
    CHUNK = 0x06
    STATISTICS = 0x0B
    DATA_END = 0x0F


_IN_CHUNKS = frozenset({Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE})
_MOST_STRANGE = 1000  # a chunk of zeros is millions of empty records
_NEEDED = frozenset(Opcode) - {Opcode.FOOTER, Opcode.DATA_END, Opcode.HEADER}


class Record(NamedTuple):
    """One record; `cut`: the file ends within it."""

    opcode: int
    content: memoryview
    at: int = 0
    cut: bool = False


def top_records(stream: Unpacked, size: int | None) -> Iterator[Record]:
    """Yield the records of a file after its magic, up to the footer.

    Args:
        stream: The file, at any position.
        size: Bytes of the file; None when it is unknown.

    Raises:
        BadBytesError: The file ends without a footer.
    """
    stream.seek(len(MCAP_MAGIC))
    at = len(MCAP_MAGIC)
    while True:
        head = stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise BadBytesError(NO_END)
        opcode, length = _HEAD.unpack(head)
        if opcode == Opcode.FOOTER:
            return
        if opcode in _NEEDED:
            content = _content(stream, length, size)
            cut = len(content) < length
            yield Record(opcode, memoryview(content), at, cut)
        else:
            cut = _skip(stream, length) < length
        if cut:
            raise BadBytesError("the file ends within a record")
        at += _HEAD.size + length


def _content(stream: Unpacked, length: int, size: int | None) -> bytes:
    """Return the content of a record, less where the file ends before.

    Raises:
        BadBytesError: The record is larger than the limit.
    """
    limit = CHUNK_BYTES.value + _BLOCK_BYTES
    whole = size is not None and length <= size
    if length > limit and whole:
        raise BadBytesError(f"a record of {CHUNK_BYTES.sentence(length)}")
    return stream.read(min(length, limit))


def _skip(stream: Unpacked, length: int) -> int:
    """Read over some bytes; return how many there were."""
    left = length
    while left and (block := stream.read(min(left, _BLOCK_BYTES))):
        left -= len(block)
    return length - left


def unpacked_size(record: Record) -> int:
    """Return how many bytes are unpacked of a chunk, by its own header; 0 of another record."""
    if record.opcode != Opcode.CHUNK or record.cut or len(record.content) < _CHUNK.size:
        return 0
    return int(min(_CHUNK.unpack_from(record.content)[2], CHUNK_BYTES.value))


def inner_records(content: memoryview) -> Iterator[Record]:
    """Yield the records that lie in these bytes one after the other.

    Raises:
        BadBytesError: The last one is cut off.
    """
    at, end = 0, len(content)
    while at < end:
        if at + _HEAD.size > end:
            raise BadBytesError("a chunk ends within a record")
        opcode, length = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        if at + length > end:
            raise BadBytesError("a chunk ends within a record")
        yield Record(opcode, content[at : at + length])
        at += length


def chunk_records(record: Record, *, check: bool = True) -> Iterator[Record]:
    """Yield the records of a chunk; of one that the end of the file cuts off, what is whole.

    Args:
        record: The chunk.
        check: Compare its checksum, which takes as long as reading it.

    Raises:
        BadBytesError: It is damaged, packed in an unknown way, or larger than is read.
    """
    content = record.content
    if len(content) < _CHUNK.size + 4:
        raise BadBytesError("the file ends within a record")
    _, _, size, checksum = _CHUNK.unpack_from(content)
    packing, at = text_at(content, _CHUNK.size)
    packed = content[at + 8 :]
    if record.cut:
        if not packing:
            yield from inner_records(packed)
        return
    if size > CHUNK_BYTES.value:
        raise BadBytesError(f"a chunk of {CHUNK_BYTES.sentence(size)}")
    data = memoryview(_unpacked(packed, packing, size))
    if len(data) != size or (check and checksum and zlib.crc32(data) != checksum):
        raise BadBytesError("a chunk contradicts its checksum")
    strange = 0
    for inner in inner_records(data):
        strange += inner.opcode not in _IN_CHUNKS
        if strange > _MOST_STRANGE:
            raise BadBytesError(f"a chunk holds {strange} records that do not belong into one")
        yield inner


def _unpacked(data: memoryview, packing: str, size: int) -> bytes | memoryview:
    if packing == "":
        return data
    if packing not in ("zstd", "lz4"):
        raise BadBytesError(f"a chunk is packed with {packing!r}; zstd and lz4 can be read")
    try:
        return (unpack_zstd if packing == "zstd" else unpack_lz4)(data, size)
    except PackingError as error:
        raise BadBytesError(f"a chunk cannot be unpacked: {error}") from error


def summary_records(path: Path) -> Iterator[Record]:
    """Yield the records behind the data of a complete file: its index.

    Raises:
        BadBytesError: The file has none, or a damaged one.
    """
    tail = _HEAD.size + _FOOTER.size + len(MCAP_MAGIC)
    with path.open("rb") as stream:
        end = stream.seek(0, 2) - tail
        if end < len(MCAP_MAGIC):
            raise BadBytesError("the file is too short for an index")
        stream.seek(end)
        opcode, length = _HEAD.unpack(stream.read(_HEAD.size))
        start = _FOOTER.unpack(stream.read(_FOOTER.size))[0]
        if opcode != Opcode.FOOTER or length != _FOOTER.size or not 0 < start < end:
            raise BadBytesError("the file has no index")
        stream.seek(start)
        if end - start > CHUNK_BYTES.value:
            raise BadBytesError(f"an index of {CHUNK_BYTES.sentence(end - start)}")
        content = stream.read(end - start)
    yield from inner_records(memoryview(content))
