# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Let malloc keep the memory that a training step frees, since the next step needs as much.

By default glibc maps every block of more than 32 MB anew and returns it when it is freed, so the
system clears its pages at every use (mallopt(3), M_MMAP_THRESHOLD).
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h
_NEVER = 2**31 - 1  # bytes free at the end of the heap before they go back to the system


def keep_freed_memory() -> None:
    """Set this for the rest of the process; without glibc nothing is changed."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        set_option(_M_MMAP_MAX, 0)
        set_option(_M_TRIM_THRESHOLD, _NEVER)
