# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HDF5 files of demonstrations: ALOHA (a file an episode) and robomimic (`data/demo_*` in a file).

Every array whose first axis has as many entries as the action is a column, named by its path;
uint8 [T, H, W, 3] and arrays of encoded pictures are cameras. The rest is named as unread.
Sources: tonyzhaozh/aloha, record_episodes.py; robomimic.github.io/docs, "Dataset contents".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.data.foreign.source import (
    Array,
    ForeignColumn,
    ForeignEpisode,
    ForeignError,
    Image,
)
from evla_ros.data.image_limits import check_pixels
from evla_ros.errors import nearest, shorten
from evla_ros.reading.limits import FILES

NEEDED = "HDF5 datasets need h5py, which is not installed: pip install 'evla_ros[hdf5]'"
SUFFIXES = (".hdf5", ".h5")
_ACTIONS = ("action", "actions")
_PADDED = 2  # axes of pictures that are encoded and padded to one length


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ForeignError(NEEDED) from error
    return h5py


def hdf5_files(path: Path) -> list[Path]:
    """Return the HDF5 files at a path: the file itself, or those of the folder, in order."""
    if path.is_file():
        return [path] if path.suffix in SUFFIXES else []
    found = sorted(
        (file for file in path.glob("*") if file.suffix in SUFFIXES),
        key=lambda file: (len(file.name), file.name),  # episode_2 before episode_10
    )
    FILES.check(len(found), str(path), ForeignError)
    return found


class Hdf5Source:
    """Reads a file or a folder of files."""

    rate_hz: float | None = None

    def __init__(self, path: Path) -> None:
        self.where, self._files = str(path), hdf5_files(path)
        self._places = [(file, group) for file in self._files for group in _episode_groups(file)]
        if not self._places:
            raise ForeignError(f"{path} holds no HDF5 episode")
        columns: dict[str, ForeignColumn] = {}
        cameras: list[str] = []
        unread: list[str] = []
        with _Opened(self._places[0]) as group:
            length = _length(group, self.where)
            for name, array in _arrays(group):
                if _is_camera(array, length):
                    cameras.append(name)
                elif array.shape[:1] == (length,) and array.dtype.kind in "fiub":
                    columns[name] = ForeignColumn(name, array.shape[1:], str(array.dtype))
                else:
                    unread.append(f"{name}: {list(array.shape)} {array.dtype}")
        self.columns: Mapping[str, ForeignColumn] = columns
        self.cameras, self.unread = tuple(cameras), tuple(unread)

    def __len__(self) -> int:
        return len(self._places)

    def episodes(self) -> Iterator[ForeignEpisode]:
        """Yield the episodes; each file is open while its episode is read."""
        for file, name in self._places:
            with _Opened((file, name)) as group:
                yield self._episode(group, file, name)

    def _episode(self, group: Any, file: Path, name: str) -> ForeignEpisode:
        where = f"{file}{f':{name}' if name else ''}"
        length = _length(group, where)

        def array(key: str) -> Any:
            if key not in group:
                known = [found for found, _ in _arrays(group)]
                raise ForeignError(f"{where} has no {key!r}; {nearest(key, known)}")
            found = group[key]
            if found.shape[:1] != (length,):
                raise ForeignError(
                    f"{where}: {key!r} has {found.shape[:1]} entries, the action {length}"
                )
            return found

        def numbers(key: str) -> Array:
            return np.asarray(array(key)[()])

        def pictures(key: str) -> Iterator[bytes | Image]:
            stored = array(key)
            for index in range(length):
                yield _picture(stored[index], f"{where}: {key!r}, frame {index}")

        return ForeignEpisode(
            f"{file.stem}{'_' + Path(name).name if name else ''}",
            length, numbers, pictures, _instructions(group, length), _success(group),
        )  # fmt: skip


class _Opened:
    """A group of a file, open in a `with` block; what HDF5 says of damage becomes a sentence."""

    def __init__(self, place: tuple[Path, str]) -> None:
        self._path, self._name = place

    def __enter__(self) -> Any:
        try:
            self._file = _h5py().File(self._path, "r")
        except OSError as error:
            raise ForeignError(f"{self._path} is no sound HDF5: {shorten(str(error))}") from error
        return self._file[self._name] if self._name else self._file

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _episode_groups(file: Path) -> list[str]:
    """Return the groups that are episodes: `data/demo_*`, or the file itself ('')."""
    with _Opened((file, "")) as root:
        data = root.get("data")
        if data is None or not hasattr(data, "keys"):
            return [""]
        names = sorted(data, key=lambda name: (len(name), name))
        demos = [name for name in names if hasattr(data[name], "keys")]
        return [f"data/{name}" for name in demos] or [""]


def _arrays(group: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    def visit(name: str, item: Any) -> None:
        if hasattr(item, "shape"):
            found.append((name, item))

    group.visititems(visit)
    return found


def _length(group: Any, where: str) -> int:
    for name in _ACTIONS:
        if name in group and group[name].shape:
            length = int(group[name].shape[0])
            if length < 1:
                raise ForeignError(f"{where}: {name!r} is empty")
            return length
    raise ForeignError(
        f"{where} has no array 'action' or 'actions' that says how long the episode is"
    )


def _is_camera(array: Any, length: int) -> bool:
    if array.shape[:1] != (length,):
        return False
    raw = array.ndim == 4 and array.shape[-1] == 3 and array.dtype == np.uint8
    encoded = array.dtype == np.uint8 and array.ndim == _PADDED and array.shape[1] > 200
    return bool(raw or encoded or array.dtype.kind in "OV")


def _picture(stored: Any, where: str) -> bytes | Image:
    if isinstance(stored, bytes):
        return stored
    array = np.asarray(stored, dtype=np.uint8)
    if array.ndim == 1:  # encoded, padded with zeros
        return array.tobytes().rstrip(b"\0")
    if array.ndim != 3 or array.shape[2] != 3:
        raise ForeignError(f"{where} is no picture: {list(array.shape)}")
    check_pixels(array.shape[0], array.shape[1], where)
    return array


def _instructions(group: Any, length: int) -> tuple[str, ...]:
    for holder in (group, group.parent, group.file):
        for key in ("language_instruction", "instruction", "task"):
            text = holder.attrs.get(key)
            if isinstance(text, (str, bytes)):
                text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
                return (text,) * length
    return ()


def _success(group: Any) -> bool | None:
    value = group.attrs.get("success")
    return None if value is None else bool(value)
