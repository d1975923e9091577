# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shards of one split as one random-access list of records, memory-mapped."""

from __future__ import annotations

import bisect
import itertools
import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.errors import CorruptRecordError, DatasetError
from evla_ros.data.rlds.tfrecord import check_payload, scan_records


class ShardFiles(Sequence[memoryview]):
    """Record i of a split as a view of its file. A shard is mapped and indexed when first used.

    Reading costs no heap: pages belong to the page cache. Each payload's checksum is compared the
    first time it is read. Safe to send to worker processes (maps are opened again there).
    """

    def __init__(self, paths: Sequence[Path], lengths: Sequence[int]) -> None:
        self._paths, self._lengths = tuple(paths), tuple(lengths)
        self._ends = list(itertools.accumulate(self._lengths))
        self._open: dict[int, _Shard] = {}

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> memoryview:  # type: ignore[override]
        if not 0 <= index < len(self):
            raise IndexError(f"record {index} of {len(self)}")
        shard = bisect.bisect_right(self._ends, index)
        return self._shard(shard).payload(index - (self._ends[shard] - self._lengths[shard]))

    def __getstate__(self) -> tuple[tuple[Path, ...], tuple[int, ...]]:
        return self._paths, self._lengths

    def __setstate__(self, state: tuple[tuple[Path, ...], tuple[int, ...]]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def location(self, index: int) -> str:
        """Return `file, record n` for messages."""
        shard = bisect.bisect_right(self._ends, index)
        inside = index - (self._ends[shard] - self._lengths[shard])
        return f"{self._paths[shard].name}, record {inside}"

    def _shard(self, index: int) -> _Shard:
        if index not in self._open:
            self._open[index] = _Shard(self._paths[index], self._lengths[index])
        return self._open[index]


class _Shard:
    def __init__(self, path: Path, expected: int) -> None:
        self._name = path.name
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        except FileNotFoundError as error:
            raise DatasetError(
                f"{path} is missing, but dataset_info.json lists it; copy the dataset again"
            ) from error
        except ValueError as error:
            raise CorruptRecordError(f"{path} is empty; copy the dataset again") from error
        self._data = memoryview(mapped)
        self._spans: npt.NDArray[np.int64] = scan_records(self._data, self._name)
        if len(self._spans) != expected:
            raise CorruptRecordError(
                f"{path} holds {len(self._spans)} episodes, but dataset_info.json says {expected}; "
                "copy the dataset again"
            )
        self._checked = np.zeros(expected, dtype=np.bool_)

    def payload(self, index: int) -> memoryview:
        start, stop = int(self._spans[index, 0]), int(self._spans[index, 1])
        if not self._checked[index]:
            check_payload(self._data, start, stop, self._name)
            self._checked[index] = True
        return self._data[start:stop]
