# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read and write a serialized tf.train.Example: a map from key to a list of bytes, floats or int64.

It follows tensorflow/core/example/{example,feature}.proto. Reading has two stages: `scan_example`
only walks the map, and a `FeatureSpan` is decoded when it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.errors import CorruptRecordError
from evla_ros.data.rlds.varint import (
    decode_packed,
    encode_packed,
    encode_varint,
    read_varint,
)

Values = npt.NDArray[Any] | Sequence[bytes]
BYTES, FLOATS, INTS = 1, 2, 3  # the field numbers in message Feature
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_KIND_NAMES = {BYTES: "bytes", FLOATS: "float", INTS: "int64", 0: "no"}


@dataclass(frozen=True, slots=True)
class FeatureSpan:
    """The list of one feature inside a record, not yet decoded; an empty feature has `kind` 0."""

    data: memoryview
    kind: int

    def floats(self) -> npt.NDArray[np.float32]:
        """Decode a float list to float32 [N], a view of the record when the list is packed."""
        parts = [_packed_floats(part) for part in self._list(FLOATS, _FIXED32)]
        return parts[0] if len(parts) == 1 else np.concatenate([_NO_FLOATS, *parts])

    def ints(self) -> npt.NDArray[np.int64]:
        """Decode an int64 list to int64 [N]."""
        parts = [decode_packed(part) for part in self._list(INTS, _VARINT)]
        return parts[0] if len(parts) == 1 else np.concatenate([_NO_INTS, *parts])

    def bytes_list(self) -> list[memoryview]:
        """Return the entries of a bytes list as views of the record."""
        return self._list(BYTES, _LENGTH)

    def _list(self, kind: int, single: int) -> list[memoryview]:
        if self.kind == 0:
            return []
        if self.kind != kind:
            raise CorruptRecordError(
                f"a feature holds a {_KIND_NAMES[self.kind]} list where a {_KIND_NAMES[kind]} list "
                "is declared"
            )
        fields = _fields(self.data)
        return [part for number, wire, part in fields if number == 1 and wire in (_LENGTH, single)]


_NO_FLOATS = np.empty(0, dtype=np.float32)
_NO_INTS = np.empty(0, dtype=np.int64)


def encode_example(features: Mapping[str, Values]) -> bytes:
    """Serialize `features`, keys sorted so equal content gives equal bytes.

    Floating arrays become float lists (float32), integer and bool arrays int64 lists, both
    flattened row-major; sequences of bytes become bytes lists.
    """
    return b"".join(example_parts(features))


def example_parts(features: Mapping[str, Values]) -> list[bytes]:
    """Return the same as pieces to be written one after the other; pictures are not copied."""
    entries: list[bytes] = []
    for key in sorted(features):
        name = key.encode()
        feature = _encode_feature(features[key])
        head = _tagged_head(1, len(name)) + name + _tagged_head(2, sum(map(len, feature)))
        entries.append(_tagged_head(1, len(head) + sum(map(len, feature))) + head)
        entries.extend(feature)
    return [_tagged_head(1, sum(map(len, entries))), *entries]


def scan_example(payload: memoryview) -> dict[str, FeatureSpan]:
    """Walk a serialized Example and return its features, not yet decoded, by key.

    Raises:
        CorruptRecordError: The bytes are not an Example.
    """
    found: dict[str, FeatureSpan] = {}
    for start, end in _submessages(payload, 0, len(payload), 1):  # Example.features
        for entry_start, entry_end in _submessages(payload, start, end, 1):  # Features.feature
            key, span = "", FeatureSpan(payload[:0], 0)
            for low, high in _submessages(payload, entry_start, entry_end, 1):
                key = _key(payload[low:high])
            for low, high in _submessages(payload, entry_start, entry_end, 2):
                span = _feature_span(payload, low, high) if high > low else span
            found[key] = span
    return found


def _submessages(data: memoryview, position: int, end: int, number: int) -> list[tuple[int, int]]:
    """Return (start, stop) of the length-delimited fields `number` in data[position:end]."""
    out = []
    while position < end:
        tag = data[position]
        start = position + 1
        if tag & 7 != _LENGTH or tag >= 0x80:
            raise CorruptRecordError(f"a record is no tf.train.Example: unexpected tag {tag}")
        size = data[start] if start < end else 0x80
        start += 1
        if size >= 0x80:
            size, start = read_varint(data, start - 1, end)
        position = start + size
        if position > end:
            raise CorruptRecordError("a record is no valid protobuf: a field runs past its end")
        if tag >> 3 == number:
            out.append((start, position))
    return out


def _key(value: memoryview) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise CorruptRecordError("a record holds a key that is not UTF-8") from error


def _feature_span(data: memoryview, start: int, end: int) -> FeatureSpan:
    kind = data[start] >> 3
    for low, high in _submessages(data, start, end, kind):
        if kind in _KIND_NAMES:
            return FeatureSpan(data[low:high], kind)
    raise CorruptRecordError(f"a record is no tf.train.Example: feature kind {kind}")


def _fields(data: memoryview) -> list[tuple[int, int, memoryview]]:
    """Split one message into (field number, wire type, content); nothing is copied."""
    out: list[tuple[int, int, memoryview]] = []
    position, end = 0, len(data)
    while position < end:
        tag = data[position]
        position += 1
        if tag >= 0x80:
            tag, position = read_varint(data, position - 1, end)
        number, wire = tag >> 3, tag & 7
        start = position
        if wire == _LENGTH:
            size, start = read_varint(data, position, end)
            position = start + size
        elif wire == _VARINT:
            _, position = read_varint(data, position, end)
        elif wire in (_FIXED32, _FIXED64):
            position += 4 if wire == _FIXED32 else 8
        else:
            raise CorruptRecordError(f"a record is no valid protobuf: wire type {wire}")
        if position > end:
            raise CorruptRecordError("a record is no valid protobuf: a field runs past its end")
        out.append((number, wire, data[start:position]))
    return out


def _encode_feature(values: Values) -> list[bytes]:
    if isinstance(values, np.ndarray):
        if np.issubdtype(values.dtype, np.floating):
            kind, packed = FLOATS, np.ascontiguousarray(values, dtype="<f4").tobytes()
        else:
            kind, packed = INTS, encode_packed(values.astype(np.int64))
        content = [_tagged_head(1, len(packed)), packed] if packed else []
    else:
        kind, content = BYTES, []
        for value in values:
            content += [_tagged_head(1, len(value)), value]
    return [_tagged_head(kind, sum(map(len, content))), *content]


def _tagged_head(number: int, length: int) -> bytes:
    return bytes(((number << 3) | _LENGTH,)) + encode_varint(length)


def _packed_floats(part: memoryview) -> npt.NDArray[np.float32]:
    if len(part) % 4:
        raise CorruptRecordError("a record is no valid protobuf: a list of floats is cut off")
    if not part:
        return _NO_FLOATS
    return np.frombuffer(part, dtype="<f4")
