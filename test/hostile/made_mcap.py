# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files put together byte by byte, valid or not."""

from __future__ import annotations

import os
import struct

if os.sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAGIC = b"\x89MCAP0\r\n"


def record(opcode: int, content: bytes) -> bytes:
    return struct.pack("<BQ", opcode, len(content)) + content


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode()


def mcap(*records: bytes) -> bytes:
    """Return an MCAP file without an index."""
    head = record(1, text("ros2") + text("test"))
    return MAGIC + head + b"".join(records) + record(2, bytes(20)) + MAGIC


def chunk(packed: bytes, size: int, packing: str = "zstd") -> bytes:
    head = struct.pack("<QQQI", 0, 1, size, 0) + text(packing)
    return record(6, head + struct.pack("<Q", len(packed)) + packed)


def zeros(size: int) -> bytes:
    """Return a zstd frame of so many zeros."""
    packer = zstd.ZstdCompressor()
    block = bytes(1 << 24)
    parts = [packer.compress(block) for _ in range(size >> 24)]
    return b"".join([*parts, packer.flush()])
