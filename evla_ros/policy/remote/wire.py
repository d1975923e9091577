# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages between robot and policy server: msgpack with NumPy arrays, as openpi's clients send it.

An array is the map {b"__ndarray__": true, b"data": bytes, b"dtype": text, b"shape": [...]}, a NumPy
number {b"__npgeneric__": true, b"data": number, b"dtype": text}. Whatever a peer sends is checked
before an array is made of it: kind and size of its numbers, its shape, how deep and how many.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from evla_ros.policy.errors import PolicyError

MAX_DEPTH = 8
MAX_ITEMS = 65_536  # entries of all maps and lists together
MAX_DIMENSIONS = 4
MAX_TEXT_BYTES = 1 << 20
MAX_MESSAGE_BYTES = 16 << 20
_DTYPES = frozenset(
    np.dtype(f"{order}{kind}").str
    for kind in ("b1", "i1", "u1", "i2", "u2", "f2", "i4", "u4", "f4", "i8", "u8", "f8")
    for order in "<>"
)
_KINDS = ", ".join(sorted(_DTYPES))
_ARRAY_KEYS = frozenset((b"__ndarray__", b"data", b"dtype", b"shape"))
_NUMBER_KEYS = frozenset((b"__npgeneric__", b"data", b"dtype"))


class WireError(PolicyError):
    """A message is not what this wire carries; nothing of it was used."""


def pack(message: Any) -> bytes:
    """Return a message as bytes.

    Args:
        message: maps with text keys, lists, text, bytes, numbers, None, and arrays of numbers.

    Raises:
        WireError: it holds something else, such as an array of objects.
    """
    import msgpack

    try:
        return bytes(msgpack.packb(message, default=_packed))
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"a message cannot be packed: {error}") from error


def unpack(data: bytes | bytearray | memoryview, limit_bytes: int = MAX_MESSAGE_BYTES) -> Any:
    """Return the message in bytes that nobody vouches for.

    Args:
        data: what arrived.
        limit_bytes: the longest message that is looked at.

    Returns:
        The message; its arrays are read-only views of memory of their own.

    Raises:
        WireError: longer than the limit, not msgpack, deeper than MAX_DEPTH, more than MAX_ITEMS
            entries, or an array of a kind, size or shape that is not allowed.
    """
    import msgpack

    if len(data) > limit_bytes:
        raise WireError(f"a message of {len(data)} bytes; at most {limit_bytes} are taken")
    count = _Count()
    try:
        message = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            list_hook=count.lists,
            object_hook=count.maps,
            max_str_len=MAX_TEXT_BYTES,
            max_bin_len=limit_bytes,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
            max_ext_len=0,
        )
    except WireError:
        raise
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        text = str(error) or type(error).__name__
        raise WireError(f"a message is not msgpack as it is spoken here: {text}") from error
    return _checked(message, 0)


class _Count:
    """Counts entries while a message is read, so that one of millions ends early."""

    def __init__(self) -> None:
        self._entries = 0

    def lists(self, entries: list[Any]) -> list[Any]:
        self._add(len(entries) + 1)
        return entries

    def maps(self, entries: dict[Any, Any]) -> dict[Any, Any]:
        self._add(len(entries) + 1)
        return entries

    def _add(self, number: int) -> None:
        self._entries += number
        if self._entries > MAX_ITEMS:
            raise WireError(f"a message of more than {MAX_ITEMS} entries")


def _checked(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise WireError(f"a message nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return [_checked(entry, depth + 1) for entry in value]
    if not isinstance(value, dict):
        return value
    if b"__ndarray__" in value:
        return _array(value)
    if b"__npgeneric__" in value:
        return _number(value)
    for key in value:
        if not isinstance(key, str):
            raise WireError(f"a map with the key {key[:40]!r}; keys are text")
    return {key: _checked(entry, depth + 1) for key, entry in value.items()}


def _array(value: dict[Any, Any]) -> np.ndarray[Any, Any]:
    if value.keys() != _ARRAY_KEYS:
        raise WireError("an array without exactly __ndarray__, data, dtype and shape")
    dtype, shape, data = _dtype(value[b"dtype"]), value[b"shape"], value[b"data"]
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise WireError(f"an array whose shape is no list of at most {MAX_DIMENSIONS} numbers")
    for side in shape:
        if type(side) is not int or side < 0:
            raise WireError(f"an array with the dimension {str(side)[:40]}; it is 0 or more")
    if not isinstance(data, bytes):
        raise WireError("an array whose data are not bytes")
    needed = dtype.itemsize * math.prod(shape)
    if needed != len(data):
        raise WireError(
            f"an array {dtype.str} {shape} of {len(data)} bytes; its shape needs {needed}"
        )
    if dtype.kind == "b":  # any byte may come where a bool is 0 or 1
        return np.asarray(np.frombuffer(data, np.uint8) != 0).reshape(shape)
    return np.frombuffer(data, dtype).reshape(shape)


def _number(value: dict[Any, Any]) -> Any:
    if value.keys() != _NUMBER_KEYS:
        raise WireError("a NumPy number without exactly __npgeneric__, data and dtype")
    dtype, number = _dtype(value[b"dtype"]), value[b"data"]
    if type(number) not in (int, float, bool):
        raise WireError(f"a NumPy number that is a {type(number).__name__}")
    try:
        return dtype.type(number)
    except (OverflowError, ValueError) as error:
        raise WireError(f"{number} is no {dtype.name}") from error


def _dtype(text: Any) -> np.dtype[Any]:
    if not isinstance(text, str) or text not in _DTYPES:
        raise WireError(f"numbers of the kind {str(text)[:40]!r}; only {_KINDS}")
    return np.dtype(text)


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and value.dtype.str not in _DTYPES:
        raise TypeError(f"numbers of the kind {value.dtype.str!r}")
    if isinstance(value, np.ndarray):
        return {
            b"__ndarray__": True,
            b"data": value.tobytes(),
            b"dtype": value.dtype.str,
            b"shape": value.shape,
        }
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    raise TypeError(f"a {type(value).__name__}")
