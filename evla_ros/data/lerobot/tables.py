# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parquet tables as LeRobot and Hugging Face `datasets` want them, through pyarrow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from evla_ros.data.lerobot.layout import Column, LeRobotError
from evla_ros.errors import shorten

NEEDED = "LeRobot datasets need pyarrow, which is not installed: pip install 'evla_ros[lerobot]'"


def arrow() -> ModuleType:
    """Return pyarrow.

    Raises:
        LeRobotError: It is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise LeRobotError(NEEDED) from error
    return pa  # type: ignore[no-any-return,unused-ignore]


def data_schema(columns: Mapping[str, Column]) -> Any:
    """Return the schema of the data files, with the features that `datasets` reads from it.

    A video is no column. Numbers are scalars, or lists of a fixed size; a picture is a structure of
    its bytes and a path.
    """
    pa = arrow()
    fields: list[Any] = []
    features: dict[str, Any] = {}
    for name, column in columns.items():
        if column.dtype == "video":
            continue
        if column.dtype == "image":
            kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
            features[name] = {"_type": "Image"}
        else:
            plain = pa.string() if column.dtype == "string" else _number(pa, column.dtype)
            value: dict[str, Any] = {"dtype": column.dtype, "_type": "Value"}
            alone = column.width == 1
            kind = plain if alone else pa.list_(plain, column.width)
            features[name] = (
                value if alone else {"feature": value, "length": column.width, "_type": "Sequence"}
            )
        fields.append(pa.field(name, kind))
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(fields, metadata)


def _number(pa: ModuleType, dtype: str) -> Any:
    import numpy as np

    return pa.from_numpy_dtype(np.dtype(dtype))


def read_rows(path: Path, columns: list[str] | None = None) -> Any:
    """Return a Parquet file as a table.

    Raises:
        LeRobotError: It is missing or damaged (without its footer, as when LeRobot's `finalize`
            did not run).
    """
    pa = arrow()
    if not path.is_file():
        raise LeRobotError(f"{path} is missing; the dataset is not complete")
    try:
        return pa.parquet.ParquetFile(path).read(columns=columns)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise LeRobotError(
            f"{path} cannot be read as Parquet: {shorten(str(error))}; a file whose recorder was "
            "killed has no footer and cannot be mended"
        ) from error


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file as dictionaries, a batch at a time in memory."""
    table = read_rows(path)
    for batch in table.to_batches(max_chunksize=1000):
        yield from batch.to_pylist()
