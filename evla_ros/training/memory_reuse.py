# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Let malloc keep what a training step frees: the next one needs as many tensors of the same sizes.

glibc maps every block of more than 32 MB afresh and gives it back when it is freed, so that the
system clears all its pages again at every use (mallopt(3), M_MMAP_THRESHOLD).
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h
_NEVER = 2**31 - 1  # bytes free at the end of the heap before they go back to the system


def keep_freed_memory() -> None:
    """Ask for that in this process, for good; without glibc nothing is changed."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        set_option(_M_MMAP_MAX, 0)
        set_option(_M_TRIM_THRESHOLD, _NEVER)
