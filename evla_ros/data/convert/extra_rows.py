# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of one column `observation/extra/<name>` over the ticks of a bag."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.stream_buffer import StampedSample
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.depth import depth_from_cdr, depth_png, resize_depth
from evla_ros.data.convert.extra_columns import ExtraColumn


class ExtraRows:
    """What was recorded beside the inputs at each tick: float32 [N], or a PNG as bytes."""

    def __init__(self, column: ExtraColumn, image_size: tuple[int, int], *, decode: bool) -> None:
        """Begin without rows; without `decode` depth images are not looked into."""
        self.column = column
        self._size, self._decode = image_size, decode
        self._rows: list[Any] = []
        self._newest: tuple[int, Any] | None = None
        self.bad, self.problem = 0, ""

    def take(self, sample: StampedSample | None, *, complete: bool) -> bool:
        """Append the row of a tick; returns whether there is one."""
        row = self._row(sample) if complete and sample is not None else None
        self._rows.append(row)
        return row is not None

    def chosen(self, ticks: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return the rows of complete ticks: float32 [T, N], or objects [T] of bytes."""
        rows = [self._rows[tick] for tick in ticks]
        if self.column.kind == "numbers":
            return np.stack(rows)
        files = np.empty(len(rows), dtype=object)
        files[:] = rows
        return files

    @property
    def notes(self) -> list[str]:
        """What was dropped, in a sentence."""
        if not self.bad:
            return []
        return [f"extra:{self.column.name}: {self.bad} depth image(s) dropped ({self.problem})"]

    def _row(self, sample: StampedSample) -> Any:
        if self.column.kind == "numbers":
            return sample.payload
        if self._newest is None or self._newest[0] != sample.stamp_ns:
            self._newest = sample.stamp_ns, self._picture(sample.payload)
        return self._newest[1]

    def _picture(self, data: bytes) -> bytes | None:
        if not self._decode:
            return b"not looked into"
        try:
            depth = depth_from_cdr(data, self.column.type)
        except BadSampleError as error:
            self.bad += 1
            self.problem = self.problem or str(error)
            return None
        return depth_png(resize_depth(depth, self._size))
