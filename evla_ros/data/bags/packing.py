# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Unpack what recorders compress: whole storage files, chunks of MCAP files, single messages.

A chunk of 300 kB can hold gigabytes of zeros. Nothing is unpacked further than its own header says
and the limits allow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from evla_ros.data.bags.types import BagError
from evla_ros.errors import shown
from evla_ros.reading.limits import EXPANSION
from evla_ros.reading.text_files import regular_file

if TYPE_CHECKING:
    from typing_extensions import Self

PACKED = ".zstd"  # what rosbag2 appends to a file that it compresses
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ALWAYS_BYTES = 1 << 30  # so much is unpacked however small the file is


class PackingError(ValueError):
    """Compressed bytes that are damaged, cut off, or hold more than they may."""


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def is_packed(path: Path) -> bool:
    """Return whether the whole file is compressed."""
    return path.suffix == PACKED


class Unpacked:
    """What `open_storage` returns: a file, or the content of a compressed one, in a `with` block.

    It can be read from its start as often as needed, and refuses to give more than a bag of its
    size may hold.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            BagError: It is no regular file, or cannot be opened.
        """
        problem = regular_file(path)
        if problem:
            raise BagError(f"{shown(path)} {problem}")
        self._path = path
        try:
            self._most = allowed_bytes(path.stat().st_size)
            self._stream: IO[bytes] = (
                _zstd().open(path, "rb") if is_packed(path) else path.open("rb")
            )
        except OSError as error:
            raise BagError(f"{shown(path)} cannot be opened: {error.strerror}") from error

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes, fewer at the end.

        Raises:
            PackingError: A compressed file is damaged or cut off.
            BagError: The file cannot be read, or holds more than the limit.
        """
        try:
            data = self._stream.read(count)
        except (EOFError, _zstd().ZstdError) as error:
            raise PackingError(f"zstd: {error}") from error
        except OSError as error:
            raise BagError(f"{shown(self._path)} cannot be read: {error.strerror}") from error
        if is_packed(self._path) and self._stream.tell() > self._most:
            raise BagError(f"{shown(self._path)}: {_more_than(self._most)}")
        return data

    def seek(self, position: int) -> int:
        """Go to a position from the start."""
        return self._stream.seek(position)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._stream.close()


def open_storage(path: Path) -> Unpacked:
    """Open a storage file for reading; a compressed one is unpacked on the way."""
    return Unpacked(path)


def allowed_bytes(stored: int) -> int:
    """Return how many bytes a file of `stored` bytes may hold when it is unpacked."""
    return max(ALWAYS_BYTES, EXPANSION.value * stored)


def check_expansion(unpacked: int, path: Path) -> None:
    """Refuse a file whose chunks hold much more together than it has bytes.

    Raises:
        BagError: They do.
    """
    most = allowed_bytes(path.stat().st_size)
    if unpacked > most:
        raise BagError(f"{shown(path)}: {_more_than(most)}")


def _more_than(most: int) -> str:
    times = EXPANSION.sentence("more than the allowed")
    return f"it unpacks to more than {most >> 20} MiB: {times}"


def unpack_zstd(data: bytes | memoryview, largest: int) -> bytes:
    """Return the content of a zstd frame of at most `largest` bytes.

    Raises:
        PackingError: It is damaged, or holds more.
    """
    zstd = _zstd()
    unpacker = zstd.ZstdDecompressor()
    try:
        content = bytes(unpacker.decompress(data, max_length=largest + 1))
    except zstd.ZstdError as error:
        raise PackingError(f"zstd: {error}") from error
    if len(content) > largest:
        raise PackingError(f"holds more than {largest} bytes")
    if not unpacker.eof:
        raise PackingError("zstd data is cut off")
    return content


def unpack_lz4(data: bytes | memoryview, largest: int) -> bytes:
    """Return the content of an lz4 frame of at most `largest` bytes.

    Raises:
        PackingError: It is damaged, or holds more.
    """
    import lz4.frame

    unpacker = lz4.frame.LZ4FrameDecompressor()
    try:
        content = bytes(unpacker.decompress(data, max_length=largest + 1))
    except RuntimeError as error:
        raise PackingError(f"lz4: {error}") from error
    if len(content) > largest:
        raise PackingError(f"holds more than {largest} bytes")
    if not unpacker.eof:
        raise PackingError("lz4 data is cut off")
    return content
