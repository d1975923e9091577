# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resident memory of this process, now and at its peak since the last mark."""

from __future__ import annotations

import ctypes
import gc
from pathlib import Path

GIB = float(1 << 30)


def trim() -> None:
    """Give freed memory back, so that what is resident is what is used."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def mark_peak() -> None:
    """Let the peak start again from now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def resident_gib(*, peak: bool = False) -> float:
    """Return the memory resident now, or its peak since the last mark, in GiB."""
    field = "VmHWM:" if peak else "VmRSS:"
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024 / GIB
    return float("nan")
