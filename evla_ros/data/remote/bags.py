# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find bags in an object store by the names of its files, as `find_bags` does on a disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from evla_ros.data.bags.reader import recorded_custom_data
from evla_ros.data.bags.storage_files import ROS1_SUFFIX, is_storage, part_of
from evla_ros.data.bags.types import BagError
from evla_ros.data.remote.copies import short_copy
from evla_ros.data.remote.store import Store, signature
from evla_ros.data.remote.uri import Uri

_METADATA = "metadata.yaml"
_NOT_LOOKED_AT = ("trash", "quarantine")


def remote_bags(uri: Uri) -> list[Uri]:
    """Return every bag at or below a place, sorted.

    Raises:
        BagError: There is none.
        RemoteError: The place cannot be listed.
    """
    names = [file.name for file in Store(uri).files()]
    if names == [""]:
        return [uri]
    found = sorted(_bags(names, uri.name))
    if not found:
        raise BagError(
            f"{uri} holds no bag (a folder with {_METADATA}, .mcap or .db3 files, packed or not)"
        )
    return [uri / name if name else uri for name in found]


def _bags(names: Iterable[str], root: str) -> set[str]:
    """Return the bags among files, as folders or files from the place on; '' is the place."""
    folders: dict[str, list[str]] = {}
    for name in names:
        path = PurePosixPath(name)
        hidden = any(part.startswith(".") or part in _NOT_LOOKED_AT for part in path.parts)
        kept = path.name == _METADATA or is_storage(Path(name)) or path.suffix == ROS1_SUFFIX
        if kept and not hidden:
            folder = "" if len(path.parts) == 1 else str(path.parent)
            folders.setdefault(folder, []).append(path.name)
    found: set[str] = set()
    for folder, files in folders.items():
        storage = [Path(name) for name in files if name != _METADATA]
        called = PurePosixPath(folder).name or root
        parts = [part_of(path) for path in storage]
        through = sorted(number for _, number in parts) == list(range(len(parts)))
        one = len({stem for stem, _ in parts}) == 1
        ways = {*(stem for stem, _ in parts), *(path.stem for path in storage)}
        if _METADATA in files or called in ways or (len(parts) > 1 and through and one):
            found.add(folder)
        else:
            found.update(f"{folder}/{path}" if folder else str(path) for path in storage)
    return found


def remote_key(uri: Uri) -> str:
    """Return a hash that changes when one of a bag's files does."""
    return signature(uri, Store(uri).files())


def remote_custom_data(uri: Uri) -> dict[str, str]:
    """Return the custom data of a bag, from its metadata.yaml alone where it has one."""
    store = Store(uri)
    for file in store.files():
        if file.name == _METADATA:
            with tempfile.TemporaryDirectory(prefix="evla-bag-") as folder:
                store.fetch(file, Path(folder) / _METADATA)
                return recorded_custom_data(Path(folder))
    with short_copy(uri) as copy:
        return recorded_custom_data(copy)
