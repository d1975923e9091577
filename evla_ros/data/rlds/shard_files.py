# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Access the records of a split by number, through memory-mapped shards."""

from __future__ import annotations

import bisect
import itertools
import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.errors import CorruptRecordError, DatasetError
from evla_ros.data.rlds.tfrecord import FRAME_BYTES, check_payload, scan_records
from evla_ros.reading.text_files import regular_file


class ShardFiles(Sequence[memoryview]):
    """The records of a split; a shard is mapped and indexed when it is first used.

    Records are views of the mapped files. Each checksum is verified the first time its record is
    read. It can be sent to worker processes, which map the files again.
    """

    def __init__(
        self, paths: Sequence[Path], lengths: Sequence[int], *, verify: bool = True
    ) -> None:
        """Take the shards.

        Args:
            paths: The files in order.
            lengths: How many records each has, by dataset_info.json.
            verify: Whether the checksum of a record is compared, which reads all of it.

        Raises:
            CorruptRecordError: A file is too small for that many.
        """
        for path, length in zip(paths, lengths, strict=True):
            if path.is_file() and length * FRAME_BYTES > path.stat().st_size:
                raise CorruptRecordError(
                    f"{path} of {path.stat().st_size} bytes cannot hold the {length} episodes "
                    "that dataset_info.json says; copy the dataset again"
                )
        self._paths, self._lengths = tuple(paths), tuple(lengths)
        self._ends = list(itertools.accumulate(self._lengths))
        self._verify = verify
        self._open: dict[int, _Shard] = {}

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> memoryview:  # type: ignore[override]
        if not 0 <= index < len(self):
            raise IndexError(f"record {index} of {len(self)}")
        shard = bisect.bisect_right(self._ends, index)
        return self._shard(shard).payload(index - (self._ends[shard] - self._lengths[shard]))

    def __getstate__(self) -> tuple[tuple[Path, ...], tuple[int, ...], bool]:
        return self._paths, self._lengths, self._verify

    def __setstate__(self, state: tuple[tuple[Path, ...], tuple[int, ...], bool]) -> None:
        paths, lengths, verify = state
        self.__init__(paths, lengths, verify=verify)  # type: ignore[misc]

    def location(self, index: int) -> str:
        """Return `file, record n` of a record, for messages."""
        shard = bisect.bisect_right(self._ends, index)
        inside = index - (self._ends[shard] - self._lengths[shard])
        return f"{self._paths[shard].name}, record {inside}"

    def _shard(self, index: int) -> _Shard:
        if index not in self._open:
            self._open[index] = _Shard(self._paths[index], self._lengths[index], self._verify)
        return self._open[index]


class _Shard:
    def __init__(self, path: Path, expected: int, verify: bool) -> None:
        self._name = path.name
        if not path.exists():
            raise DatasetError(
                f"{path} is missing, but dataset_info.json lists it; copy the dataset again"
            )
        problem = regular_file(path)
        if problem:
            raise CorruptRecordError(f"{path} {problem}; copy the dataset again")
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        except ValueError as error:
            raise CorruptRecordError(f"{path} is empty; copy the dataset again") from error
        except OSError as error:
            raise CorruptRecordError(f"{path} cannot be read: {error.strerror}") from error
        self._data = memoryview(mapped)
        self._spans: npt.NDArray[np.int64] = scan_records(self._data, self._name)
        if len(self._spans) != expected:
            raise CorruptRecordError(
                f"{path} holds {len(self._spans)} episodes, but dataset_info.json says {expected}; "
                "copy the dataset again"
            )
        self._checked = np.full(expected, not verify, dtype=np.bool_)

    def payload(self, index: int) -> memoryview:
        start, stop = int(self._spans[index, 0]), int(self._spans[index, 1])
        if not self._checked[index]:
            check_payload(self._data, start, stop, self._name)
            self._checked[index] = True
        return self._data[start:stop]
