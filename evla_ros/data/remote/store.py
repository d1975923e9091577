# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The few things that are done with an object store, each with an error that names the place."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from evla_ros.data.remote.uri import Uri
from evla_ros.errors import EvlaError, shorten
from evla_ros.reading.limits import FILES

READ_BYTES = 8 << 20  # a request; whole files are read in order
_DRIVERS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs",
            "abfs": "adlfs", "hf": "huggingface_hub"}  # fmt: skip


class RemoteError(EvlaError):
    """A place that cannot be reached, read or written."""


@dataclass(frozen=True)
class StoredFile:
    """A file below a place.

    Attributes:
        name: from that place on, with `/`.
        size: bytes.
        mark: changes when the content does: an ETag, a checksum or a time, as the store has it.
    """

    name: str
    size: int
    mark: str


class Store:
    """A folder of an object store."""

    def __init__(self, uri: Uri) -> None:
        self.uri = uri
        try:
            import fsspec
        except ImportError as error:
            raise RemoteError(
                f"{uri} needs fsspec, which is not installed: pip install 'evla_ros[remote]'"
            ) from error
        try:
            self._fs, self._root = fsspec.core.url_to_fs(uri.text)
        except ImportError as error:
            package = _DRIVERS.get(uri.scheme, "the package that fsspec names")
            raise RemoteError(f"{uri} needs {package}: pip install {package}") from error
        except ValueError as error:
            raise RemoteError(f"{uri}: no such kind of place ({shorten(str(error))})") from error
        except Exception as error:  # drivers raise of any kind
            raise RemoteError(f"{uri} cannot be opened: {_plain(error)}") from error

    def files(self) -> list[StoredFile]:
        """Return every file at or below the place, by name; empty where there is nothing.

        A place that is a file itself is one file of an empty name.
        """
        with _told(self.uri, "listed"):
            self._fs.invalidate_cache()  # another process may have written meanwhile
            try:
                found = self._fs.find(self._root, detail=True)
            except FileNotFoundError:
                return []
        FILES.check(len(found), str(self.uri), RemoteError)
        root = self._fs._strip_protocol(self._root)  # noqa: SLF001 - fsspec has no public name
        files = []
        for path, info in sorted(found.items()):
            name = path[len(root) :].lstrip("/")
            if not _is_safe(name):
                raise RemoteError(f"{self.uri}: the name {shorten(repr(name))} leads out of it")
            files.append(StoredFile(name, int(info.get("size") or 0), _mark(info)))
        return [file for file in files if file.name or len(files) == 1]

    def read(self, name: str, most: int) -> bytes:
        """Return the content of a small file."""
        path = f"{self._root}/{name}"
        with _told(self.uri / name, "read"):
            size = int(self._fs.info(path).get("size") or 0)
            if size > most:
                raise RemoteError(f"{self.uri / name} has {size} bytes, at most {most} are read")
            data: bytes = self._fs.cat_file(path)
        return data

    def fetch(self, file: StoredFile, target: Path) -> None:
        """Copy a file here, from its first byte to its last, and check how many came."""
        target.parent.mkdir(parents=True, exist_ok=True)
        source = f"{self._root}/{file.name}" if file.name else self._root
        where = self.uri / file.name if file.name else self.uri
        options = {"block_size": READ_BYTES, "cache_type": "readahead"}
        with (
            _told(where, "read"),
            target.open("wb") as out,
            self._fs.open(source, "rb", **options) as data,
        ):
            while block := data.read(READ_BYTES):
                out.write(block)
        if target.stat().st_size != file.size:
            raise RemoteError(f"{where} has {file.size} bytes, {target.stat().st_size} came")

    def put(self, source: Path, name: str) -> None:
        """Copy a file there."""
        with _told(self.uri / name, "written"):
            parent = f"{self._root}/{name}".rsplit("/", 1)[0]
            self._fs.makedirs(parent, exist_ok=True)
            self._fs.put_file(str(source), f"{self._root}/{name}")
            self._fs.invalidate_cache()


@contextlib.contextmanager
def _told(uri: Uri, done: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise RemoteError(f"there is no {uri}") from error
    except PermissionError as error:
        raise RemoteError(
            f"{uri} cannot be {done}: no permission; credentials are the driver's own (environment "
            "variables, a profile)"
        ) from error
    except RemoteError:
        raise
    except Exception as error:  # drivers raise of any kind
        raise RemoteError(f"{uri} cannot be {done}: {_plain(error)}") from error


def _plain(error: Exception) -> str:
    """Return an error on one line; requests with signatures in them are left out."""
    text = str(error)
    return type(error).__name__ if "Signature" in text or "://" in text else shorten(text, 200)


def _is_safe(name: str) -> bool:
    return ".." not in PurePosixPath(name).parts


def _mark(info: dict[str, Any]) -> str:
    for key in ("ETag", "etag", "md5Hash", "checksum", "mtime", "LastModified", "created"):
        if info.get(key):
            return str(info[key])
    return ""


def signature(uri: Uri, files: list[StoredFile]) -> str:
    """Return a hash of a place and its files, which changes when one of them does."""
    lines = [uri.text, *(f"{file.name} {file.size} {file.mark}" for file in files)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
