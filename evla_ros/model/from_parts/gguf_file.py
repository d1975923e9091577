# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read a GGUF file: its metadata, and its tensors as float32 (format: ggml, docs/gguf.md)."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evla_ros.errors import shorten, shown
from evla_ros.model.errors import CheckpointError
from evla_ros.model.stored import Stored
from evla_ros.reading.text_files import regular_file

_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9
_MOST_ITEMS, _MOST_DIMENSIONS = 1 << 24, 4
_PLAIN = {0: np.float32, 1: np.float16}


class GgufFile:
    """An open GGUF file; `metadata` by key, `tensors` by name, both as the file calls them."""

    def __init__(self, path: Path) -> None:
        self.source = shown(path)
        problem = regular_file(path)
        if problem:
            raise CheckpointError(f"{self.source} {problem}")
        self.metadata: dict[str, Any] = {}
        self.tensors: dict[str, Stored] = {}
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._at = 0
            self._read()
        except (struct.error, ValueError, LookupError, OverflowError, OSError) as error:
            raise CheckpointError(
                f"{self.source}: not a readable GGUF file: {shorten(str(error))}"
            ) from error

    def value(self, key: str) -> Any:
        """Return an entry of the metadata.

        Raises:
            CheckpointError: the file lacks it.
        """
        if key not in self.metadata:
            raise CheckpointError(f"{self.source}: lacks the metadata {key}")
        return self.metadata[key]

    def _read(self) -> None:
        if self._data[:4] != b"GGUF":
            raise ValueError("it does not begin with 'GGUF'")
        self._at = 4
        version = self._scalar("I")
        if version not in (2, 3):
            raise ValueError(f"version {version}; 2 and 3 are known")
        tensors, entries = self._count(), self._count()
        for _ in range(entries):
            key = self._text()
            self.metadata[key] = self._value(self._scalar("I"))
        infos = [self._info() for _ in range(tensors)]
        alignment = int(self.metadata.get("general.alignment", 32))
        start = -(-self._at // alignment) * alignment
        for name, shape, kind, offset in infos:
            self.tensors[name] = self._stored(name, shape, kind, start + offset)

    def _scalar(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self._data, self._at)
        self._at += struct.calcsize("<" + code)
        return value

    def _count(self) -> int:
        count = int(self._scalar("Q"))
        if count > _MOST_ITEMS:
            raise ValueError(f"{count} entries; at most {_MOST_ITEMS} are read")
        return count

    def _text(self) -> str:
        length = self._count()
        if self._at + length > len(self._data):
            raise ValueError("it ends within a text")
        text = self._data[self._at : self._at + length].decode("utf-8", errors="replace")
        self._at += length
        return text

    def _value(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self._scalar(_SCALARS[kind])
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            raise ValueError(f"metadata of the unknown kind {kind}")
        inner, count = self._scalar("I"), self._count()
        if inner in _SCALARS:
            return list(struct.unpack(f"<{count}{_SCALARS[inner]}", self._take(count, inner)))
        if inner != _STRING:
            raise ValueError(f"an array of the kind {inner}")
        return [self._text() for _ in range(count)]

    def _take(self, count: int, kind: int) -> bytes:
        size = count * struct.calcsize("<" + _SCALARS[kind])
        self._at += size
        return self._data[self._at - size : self._at]

    def _info(self) -> tuple[str, tuple[int, ...], int, int]:
        name, dimensions = self._text(), self._scalar("I")
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise ValueError(f"{name} has {dimensions} dimensions")
        shape = tuple(self._scalar("Q") for _ in range(dimensions))[::-1]  # fastest axis first
        return name, shape, self._scalar("I"), self._scalar("Q")

    def _stored(self, name: str, shape: tuple[int, ...], kind: int, start: int) -> Stored:
        quants = _quants()
        try:
            block, size = quants.GGML_QUANT_SIZES[quants.GGMLQuantizationType(kind)]
        except (ValueError, KeyError) as error:
            raise ValueError(f"{name} has the unknown number format {kind}") from error
        count = int(np.prod(shape, dtype=object))
        stop = start + count // block * size
        if count % block or shape[-1] % block or stop > len(self._data):
            raise ValueError(f"{name} of shape {list(shape)} does not fit the file")

        def read() -> Tensor:
            raw = np.frombuffer(self._data, np.uint8, stop - start, start)
            if kind in _PLAIN:
                values = raw.view(_PLAIN[kind]).astype(np.float32)
            else:
                rows = raw.reshape(-1, shape[-1] // block * size)
                values = quants.dequantize(rows, quants.GGMLQuantizationType(kind))
            return torch.from_numpy(np.ascontiguousarray(values, np.float32).reshape(shape))

        return Stored(shape, torch.float32, read, f"{self.source}: {name}")


def _quants() -> Any:
    try:
        import gguf
    except ImportError as error:
        raise CheckpointError(
            "a GGUF file needs the package gguf: pip install 'evla_ros[gguf]'"
        ) from error
    return gguf
