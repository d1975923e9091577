# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which files of a folder hold a recording, in which order, and what opens each of them.

What counts is what lies on the disk: the names and numbers of the files and how they begin.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from evla_ros.data.bags.mcap_file import McapFile
from evla_ros.data.bags.mcap_records import MCAP_MAGIC
from evla_ros.data.bags.packing import PACKED, PackingError, open_storage
from evla_ros.data.bags.sqlite_file import SQLITE_MAGIC, SqliteFile
from evla_ros.data.bags.types import BagError
from evla_ros.errors import shown
from evla_ros.reading.limits import FILES
from evla_ros.units import SECOND_NS

SUFFIXES = (".mcap", ".db3")
ROS1_SUFFIX = ".bag"
STORAGE_SUFFIXES = (*SUFFIXES, *(suffix + PACKED for suffix in SUFFIXES))
LONGEST_PAUSE_NS = 10 * SECOND_NS  # between the parts of one recording
_PART = re.compile(r"^(?P<stem>.*?)(?:_(?P<number>\d+))?$", re.DOTALL)
StorageFile = McapFile | SqliteFile


def is_storage(path: Path) -> bool:
    """Return whether a file is named like a recorder's."""
    return path.name.endswith(STORAGE_SUFFIXES)


def storage_files(folder: Path) -> list[Path]:
    """Return the recorder's files of a folder, by the number at the end of their names."""
    try:
        files = [path for path in folder.iterdir() if is_storage(path) and not path.is_dir()]
    except OSError as error:
        raise BagError(f"{shown(folder)} cannot be read: {error.strerror}") from error
    FILES.check(len(files), shown(folder), BagError)
    return sorted(files, key=lambda path: (part_of(path)[1], path.name))


def part_of(path: Path) -> tuple[str, int]:
    """Return (name of the recording, number of the part); -1 for a name without a number."""
    name = path.name.removesuffix(PACKED).rsplit(".", 1)[0]
    match = _PART.match(name)
    number = match["number"] if match else None
    if match is None or number is None or len(number) > 9:
        return name, -1
    return match["stem"], int(number)


def are_parts(files: list[Path]) -> bool:
    """Return whether several files are the parts of one recording.

    They are when they are numbered through from 0, and each begins when the one before ends.
    """
    parts = [part_of(path) for path in files]
    numbers = [number for _, number in parts]
    if len(files) < 2 or len({stem for stem, _ in parts}) > 1:
        return False
    if sorted(numbers) != list(range(len(files))):
        return False
    try:
        spans = [_span(path) for path in files]
    except BagError:
        return True  # one is damaged: opening the whole says so
    known = [span for span in spans if span is not None]
    pairs = itertools.pairwise(known)
    return all(abs(later[0] - earlier[1]) <= LONGEST_PAUSE_NS for earlier, later in pairs)


def open_file(path: Path) -> StorageFile:
    """Open a storage file by what it begins with.

    Raises:
        BagError: It is neither MCAP nor sqlite3, or damaged.
    """
    try:
        with open_storage(path) as stream:
            head = stream.read(len(SQLITE_MAGIC))
    except PackingError as error:
        raise BagError(f"{shown(path)} cannot be unpacked: {error}") from error
    if head.startswith(MCAP_MAGIC):
        return McapFile(path)
    if head == SQLITE_MAGIC:
        return SqliteFile(path)
    if not head:
        raise BagError(f"{shown(path)} seems to be empty")
    raise BagError(
        f"{shown(path)} cannot be opened: it begins neither like an MCAP nor a sqlite3 file"
    )


def _span(path: Path) -> tuple[int, int] | None:
    """Return the first and the last receive time [ns], None without messages."""
    file = open_file(path)
    if file.start_ns is None or file.end_ns is None:
        return None
    return file.start_ns, file.end_ns
