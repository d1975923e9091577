# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""UMI's replay buffer: a zarr (v2) folder or zip with `data/*` and `meta/episode_ends`.

Positions in metres, rotations as axis-angle, gripper width in metres; 60 frames a second divided by
what the recording took. Source: real-stanford/universal_manipulation_interface, README.
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

NEEDED = (
    "UMI datasets need zarr, which is not installed: pip install 'evla_ros[umi]' (with imagecodecs "
    "for pictures as JPEG XL)"
)


def is_umi(path: Path) -> bool:
    """Return whether a path looks like a replay buffer."""
    named = path.name.endswith((".zarr", ".zarr.zip"))
    return named and (path.is_file() or path.is_dir())


class UmiSource:
    """Reads one replay buffer."""

    rate_hz: float | None = None

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        root = _open(path)
        try:
            self._data = root["data"]
            ends = np.asarray(root["meta/episode_ends"][:], dtype=np.int64)
            arrays = {name: self._data[name] for name in sorted(self._data.array_keys())}
        except (KeyError, TypeError) as error:
            raise ForeignError(f"{path} is no UMI buffer: it lacks {error}") from error
        if not len(ends) or ends[0] < 1 or (np.diff(ends) < 1).any():
            raise ForeignError(f"{path}: meta/episode_ends {shorten(str(ends))} does not rise")
        self._spans = list(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True))
        total = int(ends[-1])
        self.cameras = tuple(n for n, a in arrays.items() if a.ndim == 4 and a.dtype == np.uint8)
        self.columns: Mapping[str, ForeignColumn] = {
            name: ForeignColumn(name, tuple(array.shape[1:]), str(array.dtype))
            for name, array in arrays.items()
            if name not in self.cameras and array.shape[:1] == (total,)
        }
        self.unread = tuple(
            f"{name}: {list(array.shape)}, the episodes have {total} frames"
            for name, array in arrays.items()
            if array.shape[:1] != (total,)
        )

    def __len__(self) -> int:
        return len(self._spans)

    def episodes(self) -> Iterator[ForeignEpisode]:
        """Yield the episodes in order."""
        for number, (start, stop) in enumerate(self._spans):
            yield self._episode(number, start, stop)

    def _episode(self, number: int, start: int, stop: int) -> ForeignEpisode:
        def array(name: str) -> Any:
            if name not in self._data:
                known = [*self.columns, *self.cameras]
                raise ForeignError(f"{self.where} has no {name!r}; {nearest(name, known)}")
            return self._data[name]

        def numbers(name: str) -> Array:
            return np.asarray(array(name)[start:stop])

        def pictures(name: str) -> Iterator[bytes | Image]:
            stored = array(name)
            check_pixels(stored.shape[1], stored.shape[2], f"{self.where}: {name}")
            for index in range(start, stop):
                yield _frame(stored, index, f"{self.where}: {name!r}, frame {index}")

        return ForeignEpisode(f"episode_{number:06d}", stop - start, numbers, pictures)


def _frame(stored: Any, index: int, where: str) -> Image:
    try:
        return np.asarray(stored[index], dtype=np.uint8)
    except (ValueError, RuntimeError, OSError) as error:
        raise ForeignError(f"{where} cannot be decoded: {shorten(str(error))}") from error


def _open(path: Path) -> Any:
    try:
        import zarr
    except ImportError as error:
        raise ForeignError(NEEDED) from error
    try:
        from imagecodecs.numcodecs import register_codecs
    except ImportError:
        pass  # pictures that need it are named when they are read
    else:
        register_codecs(verbose=False)
    try:
        store = zarr.storage.ZipStore(path, mode="r") if path.is_file() else str(path)
        return zarr.open_group(store, mode="r", zarr_format=2)
    except Exception as error:
        raise ForeignError(f"{path} cannot be read as zarr: {shorten(str(error))}") from error
