# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Copies on this machine: kept ones of datasets, short-lived ones of bags."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from evla_ros.data.remote.store import RemoteError, Store, StoredFile, signature
from evla_ros.data.remote.uri import Uri

VARIABLE = "EVLA_CACHE"
_PART_BYTES = 1 << 20


def cache_folder() -> Path:
    """Return where copies of datasets are kept: `EVLA_CACHE`, else `~/.cache/evla_ros`."""
    told = os.environ.get(VARIABLE, "").strip()
    base = os.environ.get("XDG_CACHE_HOME", "").strip() or "~/.cache"
    return Path(told or f"{base}/evla_ros").expanduser().absolute()


def kept_copy(uri: Uri) -> Path:
    """Return the copy of a dataset folder (or of one version of it), made when it is new.

    A copy is used again while no file there has changed. How much is copied to where is said on
    stderr.

    Raises:
        RemoteError: The place is empty or cannot be read.
    """
    store = Store(uri)
    files = _some(store)
    target = cache_folder() / "copies" / signature(uri, files)[:24] / (uri.name or "root")
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    _tell(f"copying {_amount(files)} from {uri} to {target}")
    partial = Path(tempfile.mkdtemp(prefix=".incomplete.", dir=target.parent))
    try:
        for file in files:
            store.fetch(file, partial / (file.name or uri.name))
        with contextlib.suppress(FileExistsError, OSError):
            partial.rename(target)  # another process may have been faster
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if not target.is_dir():
        raise RemoteError(f"{target} could not be made")
    return target


@contextlib.contextmanager
def short_copy(uri: Uri) -> Iterator[Path]:
    """Give a copy of a bag, a folder or a file of its name, which is gone after the block.

    It lies in the folder for temporary files (`TMPDIR`).
    """
    store = Store(uri)
    files = _some(store)
    with tempfile.TemporaryDirectory(prefix="evla-bag-") as folder:
        target = Path(folder) / uri.name
        for file in files:
            store.fetch(file, target / file.name if file.name else target)
        yield target


def _some(store: Store) -> list[StoredFile]:
    files = store.files()
    if not files:
        raise RemoteError(f"there is no {store.uri}")
    return files


def _amount(files: list[StoredFile]) -> str:
    total = sum(file.size for file in files)
    return f"{len(files)} files, {total / _PART_BYTES:.1f} MiB"


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
