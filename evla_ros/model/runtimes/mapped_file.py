# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Give back the memory of a file that a library has mapped, read once, and keeps mapped."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

_MAPS = Path("/proc/self/maps")


def release_pages(path: Path) -> int:
    """Let go of the pages of a mapped file; whoever reads them again gets them from the file.

    Private mappings are left alone: what was written into them would be lost.

    Args:
        path: of the file, as this process has mapped it.

    Returns:
        How many bytes of mappings were told so; 0 where the system does not say what is mapped.
    """
    advice = getattr(mmap, "MADV_DONTNEED", None)
    if advice is None or not _MAPS.is_file():
        return 0
    madvise = ctypes.CDLL(None, use_errno=True).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    released = 0
    for line in _MAPS.read_text(encoding="utf-8", errors="replace").splitlines():
        place, rights, *_, name = line.split(maxsplit=5)
        if name == str(path.resolve()) and rights.endswith("s") and "w" not in rights:
            start, stop = (int(address, 16) for address in place.split("-"))
            if madvise(start, stop - start, advice) == 0:
                released += stop - start
    return released
