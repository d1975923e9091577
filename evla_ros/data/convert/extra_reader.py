# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read the messages of a recorded topic into the rows of its column."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evla_ros.data.cdr import CdrError
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.numbers import NumbersReader
from evla_ros.data.convert.extra_columns import ExtraColumn
from evla_ros.data.convert.readers import Reader, Reading
from evla_ros.data.messages import header_stamp_ns
from evla_ros.errors import shorten


def extra_reader(column: ExtraColumn, definition: str) -> Reader:
    """Return a function that reads raw messages of a column: float32 [N], or depth as raw CDR.

    It raises BadSampleError for a message that is of no use, such as one with more numbers than the
    column has.
    """
    if column.kind == "depth":
        return _raw
    numbers = NumbersReader(column.type, definition)

    def read(data: bytes) -> Reading:
        stamp_ns, names, _, values = numbers(data)
        return Reading(
            stamp_ns, values if names == column.names else _ordered(names, values, column)
        )

    return read


def _raw(data: bytes) -> Reading:
    try:
        return Reading(header_stamp_ns(data), data)
    except CdrError as error:
        raise BadSampleError("message", str(error)) from error


def _ordered(
    names: tuple[str, ...], values: npt.NDArray[np.float32], column: ExtraColumn
) -> npt.NDArray[np.float32]:
    """Return the numbers in the column's order, as joints come in any."""
    at = {name: place for place, name in enumerate(names)}
    if len(names) != len(column.names) or at.keys() != set(column.names):
        odd = sorted(at.keys() ^ set(column.names))
        first = f", first {shorten(odd[0])}" if odd else ""
        raise BadSampleError(
            "size",
            f"it has {len(names)} numbers, its column {len(column.names)}{first}: a column needs "
            "the same in every message",
        )
    return values[[at[name] for name in column.names]]
