# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find and open bags: folders and lone files of any ROS 2 recorder, whole or damaged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.data.bags.recorded_bag import RecordedBag
from evla_ros.data.bags.storage_files import (
    ROS1_SUFFIX,
    StorageFile,
    are_parts,
    is_storage,
    open_file,
    part_of,
    storage_files,
)
from evla_ros.data.bags.types import Bag, BagError
from evla_ros.errors import shorten, shown
from evla_ros.reading.limits import FILES
from evla_ros.reading.text_files import regular_file

_ENDINGS = "metadata.yaml, .mcap or .db3 files, packed (.zstd) or not"


def open_bag(path: Path | str) -> Bag:
    """Open a rosbag2 folder or a single storage file; use the result in a `with` block.

    What is read is what lies on the disk. A folder without metadata.yaml, a file without its end
    and a missing part are read as far as they go, and `info.damage` says what was lost.

    Raises:
        BagError: Nothing can be read.
    """
    path = Path(path)
    no_file = "" if path.is_dir() else regular_file(path)
    if no_file:
        raise BagError(f"{shown(path)} {no_file}")
    if path.suffix == ROS1_SUFFIX and path.is_file():
        raise BagError(
            f"{shown(path)} is a ROS 1 recording: convert it with `rosbags-convert --src "
            f"{shown(path.name)} --dst {shown(path.stem)}` (pip install rosbags)"
        )
    if path.is_file():
        if not is_storage(path):
            raise BagError(f"{shown(path)} is no bag; bags are folders, .mcap or .db3 files")
        return RecordedBag(path, [open_file(path)], {})
    information, problem = _metadata_of(path)
    files, lost = _files_of(path, information)
    return RecordedBag(path, files, information, lost or problem)


def _metadata_of(folder: Path) -> tuple[Mapping[str, Any], str | None]:
    """Return what metadata.yaml says, and what is wrong with it."""
    try:
        information = read_metadata(folder)
    except BagError as error:
        return {}, str(error)
    return information or {}, None if information else f"{shown(folder.name)} has no metadata.yaml"


def _files_of(folder: Path, information: Mapping[str, Any]) -> tuple[list[StorageFile], str | None]:
    """Open the storage files of a folder; return them, and what is lost with those that are not."""
    paths = storage_files(folder)
    if not paths:
        raise BagError(
            f"{shown(folder)} is no bag: it holds no .mcap or .db3 file, packed (.zstd) or not"
        )
    listed = information.get("relative_file_paths")
    names = {PurePath(str(name)).name for name in listed} if isinstance(listed, list) else set()
    missing = sorted(name for name in names if not any(_is_named(p, name) for p in paths))
    if names and missing != sorted(names):
        strangers = {part_of(p)[0] for p in paths} - {part_of(Path(name))[0] for name in names}
        paths = [path for path in paths if part_of(path)[0] not in strangers]
    lost = f"{shorten(', '.join(missing))} of its metadata.yaml is missing" if missing else None
    files: list[StorageFile] = []
    refused: BagError | None = None
    for path in paths:
        try:
            files.append(open_file(path))
        except BagError as error:
            if len(paths) == 1 or "ROS 1" in str(error):
                raise
            refused, lost = error, lost or str(error)
    if not files and refused is not None:
        raise refused
    return files, lost


def _is_named(path: Path, name: str) -> bool:
    return path.name == name or path.name.removesuffix(".zstd") == name.removesuffix(".zstd")


def recorded_custom_data(path: Path) -> dict[str, str]:
    """Return the custom data of a bag, from metadata.yaml alone where that exists."""
    data = custom_data(read_metadata(path)) if path.is_dir() else {}
    if data:
        return data
    with open_bag(path) as bag:
        return dict(bag.info.custom_data)


def content_hash(path: Path) -> str:
    """Return the SHA-256 (hex) of a bag's storage files and metadata.yaml, in name order."""
    digest = hashlib.sha256()
    names = (".mcap", ".db3", ".yaml", ".zstd")
    files = [path]
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.suffix in names and not regular_file(f))
    for file in files:
        digest.update(os.fsencode(file.name) + b"\0" if path.is_dir() else b"")
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def find_bags(paths: list[Path]) -> list[Path]:
    """Return every bag at or below the given paths, sorted, without hidden folders and the trash.

    Bags of ROS 1 are among them, so that opening them says what to do.

    Raises:
        BagError: A path does not exist or has no bag.
    """
    found: list[Path] = []
    for path in paths:
        if not os.path.lexists(path):
            raise BagError(f"{shown(path)} does not exist")
        bags = [path] if is_bag(path) else _bags_below(path) if path.is_dir() else []
        if not bags:
            raise BagError(f"{shown(path)} holds no bag (a folder with {_ENDINGS})")
        found.extend(bags)
    return list(dict.fromkeys(found))


def is_bag(path: Path) -> bool:
    """Return whether a path is a storage file or a bag folder.

    A bag folder has metadata.yaml, storage files that are named after it, or several that are the
    parts of one recording. What is named like a storage file and is none (a pipe, a dead link)
    counts, so that opening it says so.
    """
    if not path.is_dir():
        return is_storage(path) or path.suffix == ROS1_SUFFIX
    if (path / "metadata.yaml").is_file():
        return True
    files = storage_files(path)
    named = any(part_of(file)[0] == path.name or file.stem == path.name for file in files)
    return named or are_parts(files)


def _bags_below(folder: Path) -> list[Path]:
    """Return the bags below a folder; a folder that links lead to again is looked at once."""
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    looked_at, folders = 0, [folder]
    while folders:
        for child in _children(folders.pop(), seen):
            looked_at += 1
            FILES.check(looked_at, shown(folder), BagError)
            if child.name.startswith(".") or child.name in ("trash", "quarantine"):
                continue
            if is_bag(child):
                found.append(child)
            elif child.is_dir():
                folders.append(child)
    return sorted(found)


def _children(folder: Path, seen: set[tuple[int, int]]) -> list[Path]:
    """Return what is in a folder, nothing the second time.

    Raises:
        BagError: It cannot be read.
    """
    try:
        status = folder.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in seen:
            return []
        seen.add(identity)
        return list(folder.iterdir())
    except OSError as error:
        raise BagError(f"{shown(folder)} cannot be read: {error.strerror}") from error
