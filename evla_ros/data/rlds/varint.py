# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Protobuf base-128 varints: one at a time, and whole packed arrays at once through NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.errors import CorruptRecordError

MAX_VARINT_BYTES = 10


def encode_varint(value: int) -> bytes:
    """Encode a non-negative integer below 2**64."""
    out = bytearray()
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: memoryview, position: int, end: int) -> tuple[int, int]:
    """Return the value and the position after it.

    Raises:
        CorruptRecordError: The number runs past `end`.
    """
    result = shift = 0
    while position < end and shift < 70:
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
    raise CorruptRecordError(f"a record is no valid protobuf: bad varint at byte {position}")


def encode_packed(values: npt.NDArray[np.int64]) -> bytes:
    """Encode int64 [N] as packed varints (negative numbers take ten bytes, as in protobuf)."""
    flat = np.ascontiguousarray(values, dtype=np.int64).reshape(-1).view(np.uint64)
    if flat.size == 0:
        return b""
    if int(flat.max()) < 0x80:
        return flat.astype(np.uint8).tobytes()
    shifts = np.arange(MAX_VARINT_BYTES, dtype=np.uint64) * np.uint64(7)
    groups = flat[:, None] >> shifts[None, :]  # [N, 10]
    kept = groups != 0
    kept[:, 0] = True
    low = (groups & np.uint64(0x7F)).astype(np.uint8)
    low[:, :-1] |= np.where(kept[:, 1:], 0x80, 0).astype(np.uint8)
    return bytes(low[kept].tobytes())


def decode_packed(data: memoryview) -> npt.NDArray[np.int64]:
    """Decode packed varints to int64 [N].

    Raises:
        CorruptRecordError: The last one is cut off.
    """
    raw = np.frombuffer(data, dtype=np.uint8)
    if raw.size == 0:
        return np.empty(0, dtype=np.int64)
    if int(raw.max()) < 0x80:
        return raw.astype(np.int64)
    ends = np.flatnonzero(raw < 0x80)
    if ends.size == 0 or ends[-1] != raw.size - 1:
        raise CorruptRecordError("a record is no valid protobuf: a list of integers is cut off")
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if int(lengths.max()) > MAX_VARINT_BYTES:
        raise CorruptRecordError("a record is no valid protobuf: an integer has more than 10 bytes")
    result = np.zeros(ends.size, dtype=np.uint64)
    for group in range(int(lengths.max())):
        has = lengths > group
        part = (raw[starts[has] + group] & 0x7F).astype(np.uint64)
        result[has] |= part << np.uint64(7 * group)
    return result.view(np.int64)
