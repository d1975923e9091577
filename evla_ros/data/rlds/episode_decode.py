# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode one record into an Episode; numbers are views of the record, pictures are not decoded."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Episode, Scalar
from evla_ros.data.rlds.episode_encode import STEPS
from evla_ros.data.rlds.errors import CorruptRecordError
from evla_ros.data.rlds.example_proto import BYTES, FeatureSpan, scan_example
from evla_ros.data.rlds.features import (
    ACTION,
    INSTRUCTION,
    OBSERVATION,
    DatasetFeatures,
    Feature,
    is_extra,
)

INSTRUCTION_KEYS = (INSTRUCTION, OBSERVATION + "natural_language_instruction")
T = TypeVar("T")


class LazyList(Sequence[T], Generic[T]):
    """The T entries of a bytes list, located when first used and converted one at a time."""

    def __init__(
        self, span: FeatureSpan, length: int, convert: Callable[[memoryview], T], key: str
    ) -> None:
        self._span, self._length, self._convert, self._key = span, length, convert, key
        self._parts: list[memoryview] | None = None

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if self._parts is None:
            self._parts = self._span.bytes_list()
            _check_count(len(self._parts), self._length, self._key)
        if isinstance(index, slice):
            return [self._convert(part) for part in self._parts[index]]
        return self._convert(self._parts[index])


def decode_episode(payload: memoryview, features: DatasetFeatures) -> Episode:
    """Parse one record.

    Raises:
        CorruptRecordError: It lacks what `features` declares.
    """
    spans = scan_example(payload)
    length = step_count(spans, features)
    images: dict[str, Sequence[bytes]] = {}
    observations: dict[str, npt.NDArray[Any]] = {}
    columns: dict[str, npt.NDArray[Any]] = {}
    action = np.zeros((length, 0), dtype=np.float32)
    instructions: Sequence[str] = [""] * length
    instruction_key = next((k for k in INSTRUCTION_KEYS if k in features.steps), "")
    for key, feature in features.steps.items():
        if feature.kind == "unsupported":
            continue
        span = _span(spans, STEPS + key)
        short = key.removeprefix(OBSERVATION)
        if feature.kind == "image" and is_extra(key):
            observations[short] = bytes_column(LazyList(span, length, bytes, key))
        elif feature.kind == "image":
            images[short] = LazyList(span, length, bytes, key)
        elif key == instruction_key:
            instructions = LazyList(span, length, _text, key)
        elif feature.kind == "text":
            texts = list(LazyList(span, length, _text, key))
            columns[key] = np.asarray(texts, dtype=object)
        elif key == ACTION:
            action = decode_numbers(span, feature, length, key).astype(np.float32, copy=False)
            action = action.reshape(length, feature.values_per_step)
        else:
            target = columns if short == key else observations
            target[short] = decode_numbers(span, feature, length, key)
    return Episode(
        images, observations, action, instructions, columns, decode_metadata(spans, features)
    )


def bytes_column(files: Sequence[bytes]) -> npt.NDArray[Any]:
    """Return encoded images [T] as a column of objects: an array of bytes would lose last zeros."""
    column = np.empty(len(files), dtype=object)
    column[:] = list(files)
    return column


def decode_metadata(spans: dict[str, FeatureSpan], features: DatasetFeatures) -> dict[str, Scalar]:
    """Return the scalar metadata, without arrays and unsupported features."""
    metadata: dict[str, Scalar] = {}
    for key, feature in features.metadata.items():
        if feature.kind not in ("scalar", "text"):
            continue
        span = _span(spans, features.metadata_prefix + key)
        if feature.kind == "text":
            metadata[key] = LazyList(span, 1, _text, key)[0]
        else:
            metadata[key] = decode_numbers(span, feature, 1, key)[0].item()
    return metadata


def step_count(spans: dict[str, FeatureSpan], features: DatasetFeatures) -> int:
    """Return the number of steps, T, from the column that is cheapest to read."""
    flags = ("is_first", "is_last", "is_terminal", "reward", ACTION)
    for key in (*(flag for flag in flags if flag in features.steps), *features.steps):
        feature = features.steps[key]
        if feature.kind == "unsupported" or feature.values_per_step == 0:
            continue
        span = _span(spans, STEPS + key)
        if feature.kind in ("image", "text") or feature.encoding != "none":
            return len(span.bytes_list())
        values = span.floats() if feature.dtype.startswith("float") else span.ints()
        return len(values) // feature.values_per_step
    raise CorruptRecordError("the dataset declares no step feature that can be read")


def decode_numbers(span: FeatureSpan, feature: Feature, length: int, key: str) -> npt.NDArray[Any]:
    """Decode a tensor or scalar column to [T, ...] in its declared dtype."""
    shape = (length, *(size or 0 for size in feature.shape))
    dtype = np.dtype(feature.dtype)
    if feature.encoding in ("bytes", "zlib") and span.kind in (0, BYTES):
        return _decode_packed_tensor(span, feature, length, key).reshape(shape)
    values: npt.NDArray[Any] = span.floats() if dtype.kind == "f" else span.ints()
    _check_count(len(values), length * feature.values_per_step, key)
    return values.astype(dtype, copy=False).reshape(shape)


def _decode_packed_tensor(
    span: FeatureSpan, feature: Feature, length: int, key: str
) -> npt.NDArray[Any]:
    parts = [bytes(part) for part in span.bytes_list()]
    _check_count(len(parts), length, key)
    dtype = np.dtype(feature.dtype)
    step_bytes = feature.values_per_step * dtype.itemsize
    if feature.encoding == "zlib":
        parts = [_inflate(part, step_bytes, key) for part in parts]
    raw = b"".join(parts)
    _check_count(len(raw), length * step_bytes, key)
    return np.frombuffer(raw, dtype=dtype)


def _inflate(part: bytes, size: int, key: str) -> bytes:
    """Return the content of a zlib stream that has `size` bytes, and never more than one more."""
    try:
        return zlib.decompressobj().decompress(part, size + 1)
    except zlib.error as error:
        raise CorruptRecordError(f"column {key!r} holds damaged zlib data") from error


def _span(spans: dict[str, FeatureSpan], key: str) -> FeatureSpan:
    try:
        return spans[key]
    except KeyError as error:
        raise CorruptRecordError(
            f"the record lacks {key!r}, which features.json declares"
        ) from error


def _check_count(found: int, expected: int, key: str) -> None:
    if found != expected:
        raise CorruptRecordError(f"column {key!r} holds {found} values where {expected} belong")


def _text(part: memoryview) -> str:
    return str(part, "utf-8", errors="replace")
