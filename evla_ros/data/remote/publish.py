# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write datasets into an object store: built here, then copied there, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from evla_ros.data.remote.copies import cache_folder
from evla_ros.data.remote.store import RemoteError, Store, StoredFile
from evla_ros.data.remote.uri import Uri, local_path, uri_of
from evla_ros.data.rlds.dataset_info import INFO_FILE
from evla_ros.data.rlds.folder import CONTENT_FILE
from evla_ros.reading.limits import JSON_BYTES

_SMALL = (INFO_FILE, CONTENT_FILE)
_REPORT = "_conversion.json"


@contextlib.contextmanager
def output_folder(uri: Uri) -> Iterator[Path]:
    """Give the local stand-in of a folder of datasets; what is new in it is copied there after.

    The stand-in knows the versions that exist there, so that the next one gets the next number, and
    it is kept: a conversion that was killed goes on. `dataset_info.json` of a version is copied
    last: without it a folder is no dataset to anybody.

    Raises:
        RemoteError: The place cannot be read or written, or a version appeared there meanwhile.
    """
    name = hashlib.sha256(uri.text.encode()).hexdigest()[:24]
    local = cache_folder() / "outputs" / name
    local.mkdir(parents=True, exist_ok=True)
    store = Store(uri)
    there = {file.name: file for file in store.files() if file.name}
    _forget(there, local)
    _know(store, there, local)
    yield local
    for version in sorted(path.parent for path in local.glob(f"*/*/{INFO_FILE}")):
        _send(store, version, version.relative_to(local).as_posix())
    for report in sorted(local.glob(f"*{_REPORT}")):
        store.put(report, report.name)


@contextlib.contextmanager
def output_place(place: Path) -> Iterator[Path]:
    """Give the folder that a folder of datasets is written in: itself, or a stand-in of its URI."""
    uri = uri_of(place)
    if uri is None:
        yield local_path(place)
        return
    with output_folder(uri) as local:
        yield local


def _forget(there: dict[str, StoredFile], local: Path) -> None:
    """Remove what is known here of versions that are there no more."""
    for info in local.glob(f"*/*/{INFO_FILE}"):
        sent = all(path.name in _SMALL for path in info.parent.iterdir())
        if sent and info.relative_to(local).as_posix() not in there:
            shutil.rmtree(info.parent)


def _know(store: Store, there: dict[str, StoredFile], local: Path) -> None:
    """Make the versions there known here, by the two files that decide about the next one."""
    for name in there:
        parts = name.split("/")
        if len(parts) == 3 and parts[2] in _SMALL and not (local / name).exists():
            target = local / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store.read(name, JSON_BYTES.value))


def _send(store: Store, version: Path, name: str) -> None:
    """Copy a version whose `dataset_info.json` is not there yet."""
    there = {file.name: file for file in store.files() if file.name.startswith(f"{name}/")}
    files = sorted(path for path in version.rglob("*") if path.is_file())
    if f"{name}/{INFO_FILE}" in there:
        mine = (version / INFO_FILE).read_bytes()
        if store.read(f"{name}/{INFO_FILE}", JSON_BYTES.value) != mine:
            raise RemoteError(
                f"{store.uri}/{name} was written by somebody else meanwhile; run again for the "
                "next version"
            )
        return
    last = version / INFO_FILE
    for file in [*(path for path in files if path != last), last]:
        store.put(file, f"{name}/{file.relative_to(version).as_posix()}")
    for file in files:  # the shards are there now; what decides about the next version stays
        if file.name not in _SMALL:
            file.unlink()
