# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pages of a mapped file are given back, and come back when they are read."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from evla_ros.model.runtimes.mapped_file import release_pages

SIZE = 64 * mmap.PAGESIZE


def resident_kib(path: Path) -> int:
    """What this process holds of a mapped file in memory."""
    found, total = False, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            found = words[-1] == str(path)
        elif found and words[0] == "Rss:":
            total += int(words[1])
    return total


def test_pages_go_and_come_back(tmp_path):
    file = tmp_path / "weights with a space.bin"
    content = os.urandom(SIZE)
    file.write_bytes(content)
    with file.open("rb") as opened:
        view = mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ)
        assert view[:] == content
        assert release_pages(file) == SIZE
        assert view[:] == content
        view.close()
    assert release_pages(file) == 0


def test_what_was_written_is_not_lost(tmp_path):
    file = tmp_path / "x.bin"
    file.write_bytes(bytes(SIZE))
    with file.open("r+b") as opened:
        private = mmap.mmap(opened.fileno(), 0, flags=mmap.MAP_PRIVATE)
        private[:3] = b"abc"
        assert release_pages(file) == 0
        assert private[:3] == b"abc"
        private.close()


def test_memory_is_smaller(tmp_path):
    file = tmp_path / "y.bin"
    file.write_bytes(os.urandom(SIZE))
    with file.open("rb") as opened:
        view = mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ)
        view[:]
        assert resident_kib(file) >= SIZE // 1024
        release_pages(file)
        assert resident_kib(file) == 0
        view.close()
