# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""TFRecord framing: u64 length, masked CRC32C of it, payload, masked CRC32C of the payload.

All little-endian (tensorflow/core/lib/io/record_writer.h). Knows nothing of what a payload holds.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from types import ModuleType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.errors import CorruptRecordError, DatasetError

HEADER_BYTES = 12
FOOTER_BYTES = 4
FRAME_BYTES = HEADER_BYTES + FOOTER_BYTES
MAX_PAYLOAD_BYTES = 2**31 - 1  # the hard ceiling of a protobuf message
_MASK_DELTA = 0xA282EAD8
_LENGTH = struct.Struct("<Q")
_CRC = struct.Struct("<I")


@functools.lru_cache(maxsize=1)
def _crc32c() -> ModuleType:
    try:
        import google_crc32c
    except ImportError as error:
        raise DatasetError(
            "TFRecord checksums need google-crc32c, which is not installed: "
            "pip install 'evla_ros[data]'"
        ) from error
    return google_crc32c


def masked_crc32c(data: bytes | memoryview) -> int:
    """Return the rotated and offset CRC32C that TFRecord stores."""
    return _masked(_crc32c().value(data if isinstance(data, bytes) else bytes(data)))


def _masked(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def frame(parts: Sequence[bytes]) -> list[bytes]:
    """Return a payload, given in pieces, with its TFRecord header and footer.

    Raises:
        DatasetError: The payload is larger than 2 GiB.
    """
    size = sum(map(len, parts))
    if size > MAX_PAYLOAD_BYTES:
        raise DatasetError(
            f"an episode of {size / 2**30:.2f} GiB is above the 2 GiB that one record can "
            "hold; cut the episode or store smaller images"
        )
    header = _LENGTH.pack(size)
    crc = functools.reduce(_crc32c().extend, parts, 0)
    footer = _CRC.pack(_masked(crc))
    return [header + _CRC.pack(masked_crc32c(header)), *parts, footer]


def read_only_record(file: BinaryIO, source: str) -> tuple[bytes, bytes, bytes]:
    """Return the header, payload and footer of a file that holds exactly one record.

    Raises:
        CorruptRecordError: The file is damaged, cut off, or holds something else.
    """
    header = file.read(HEADER_BYTES)
    if len(header) == HEADER_BYTES:
        size = int(_LENGTH.unpack_from(header)[0])
        if _CRC.unpack_from(header, 8)[0] == masked_crc32c(header[:8]):
            payload, footer, more = file.read(size), file.read(FOOTER_BYTES), file.read(1)
            whole = len(payload) == size and len(footer) == FOOTER_BYTES and not more
            if whole and _CRC.unpack(footer)[0] == masked_crc32c(payload):
                return header, payload, footer
    raise CorruptRecordError(f"{source} is damaged: it is not one whole record; delete it")


def scan_records(data: memoryview, source: str) -> npt.NDArray[np.int64]:
    """Return [N, 2]: start and stop of every payload in a TFRecord file.

    Args:
        data: The content of the file.
        source: Its name, for messages.

    Raises:
        CorruptRecordError: A header is damaged or the file ends inside a record; names the record
            and the byte.
    """
    spans: list[tuple[int, int]] = []
    position, end = 0, len(data)
    while position < end:
        start = position + HEADER_BYTES
        if start > end:
            raise _cut(source, len(spans), position)
        header = bytes(data[position:start])
        if _CRC.unpack_from(header, 8)[0] != masked_crc32c(header[:8]):
            raise CorruptRecordError(
                f"{source}: record {len(spans)} at byte {position} has a damaged header (length "
                f"checksum); the {len(spans)} records before it are intact"
            )
        stop = start + int(_LENGTH.unpack_from(header)[0])
        if stop + FOOTER_BYTES > end:
            raise _cut(source, len(spans), position)
        spans.append((start, stop))
        position = stop + FOOTER_BYTES
    return np.asarray(spans, dtype=np.int64).reshape(-1, 2)


def check_payload(data: memoryview, start: int, stop: int, source: str) -> None:
    """Verify the checksum of the payload [start, stop).

    Raises:
        CorruptRecordError: It does not match.
    """
    stored = _CRC.unpack_from(data, stop)[0]
    if stored != masked_crc32c(data[start:stop]):
        raise CorruptRecordError(
            f"{source}: the record at byte {start - HEADER_BYTES} is damaged (payload checksum); "
            "restore the file from its source or write the dataset again"
        )


def _cut(source: str, index: int, position: int) -> CorruptRecordError:
    return CorruptRecordError(
        f"{source}: the file ends inside record {index} at byte {position}; it was cut off (the "
        f"{index} records before it are intact), copy it again"
    )
