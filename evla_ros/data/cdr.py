# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read the plain CDR (XCDR1) bytes that ROS 2 sends and stores in bags."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError

_MAX_SEQUENCE = 1 << 31


class CdrError(EvlaError):
    """The bytes of a message end too early or contradict its type."""


class CdrReader:
    """A cursor over one serialised message.

    The 4-byte encapsulation header gives the byte order, and alignment is counted from its end (OMG
    DDS-RTPS 2.3 section 10.2; ROS 2 Humble to Lyrical write this form for messages).
    """

    def __init__(self, data: bytes | memoryview) -> None:
        """Start after the encapsulation header of `data`.

        Raises:
            CdrError: There is none.
        """
        self._view = (
            memoryview(data).cast("B") if isinstance(data, memoryview) else memoryview(data)
        )
        if len(self._view) < 4 or self._view[0] != 0 or self._view[1] not in (0, 1):
            head = bytes(self._view[:4]).hex()
            raise CdrError(f"not a CDR message: header {head!r}, expected 00 00 or 00 01")
        self._order = "<" if self._view[1] == 1 else ">"
        self._at = 4

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return len(self._view) - self._at

    def scalar(self, code: str) -> Any:
        """Read one number by its `struct` code (b B h H i I q Q f d)."""
        size = struct.calcsize("<" + code)
        at = self._at + (-(self._at - 4)) % size
        if at + size > len(self._view):
            raise CdrError(f"message ends at byte {len(self._view)}, needed {at + size}")
        self._at = at + size
        return struct.unpack_from(self._order + code, self._view, at)[0]

    def uint32(self) -> int:
        """Read an unsigned 32-bit integer."""
        return int(self.scalar("I"))

    def array(self, dtype: str, count: int) -> npt.NDArray[Any]:
        """Read `count` numbers of NumPy kind `dtype` (`f8`, `i4`, `u1`) without copying."""
        kind = np.dtype(self._order + dtype)
        at = self._at + (-(self._at - 4)) % kind.itemsize if count else self._at
        end = at + count * kind.itemsize
        if count < 0 or end > len(self._view):
            raise CdrError(f"array of {count} {dtype} ends at byte {end} of {len(self._view)}")
        self._at = end
        return np.frombuffer(self._view, dtype=kind, count=count, offset=at)

    def sequence(self, dtype: str) -> npt.NDArray[Any]:
        """Read a length-prefixed sequence of numbers without copying."""
        count = self.uint32()
        if count > _MAX_SEQUENCE:
            raise CdrError(f"sequence of {count} elements is longer than any message")
        return self.array(dtype, count)

    def string(self) -> str:
        """Read a string (its length includes the closing zero byte)."""
        raw = self.sequence("u1").tobytes()
        try:
            return raw.rstrip(b"\0").decode("utf-8")
        except UnicodeDecodeError as error:
            raise CdrError(f"string is not UTF-8 at byte {self._at}: {error.reason}") from error

    def strings(self) -> tuple[str, ...]:
        """Read a sequence of strings."""
        count = self.uint32()
        if count * 4 > self.remaining + 4:
            raise CdrError(f"{count} strings do not fit into {self.remaining} bytes")
        return tuple(self.string() for _ in range(count))
