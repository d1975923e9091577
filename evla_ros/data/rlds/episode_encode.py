# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Encode an Episode into the bytes of one record; it must match the features, nothing is cast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Episode, Scalar
from evla_ros.data.image_jpeg import image_size
from evla_ros.data.image_resize import ImageError
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.example_proto import Values, example_parts
from evla_ros.data.rlds.features import ACTION, INSTRUCTION, OBSERVATION, DatasetFeatures, Feature

STEPS = "steps/"
Column = npt.NDArray[Any] | Sequence[Any]


def episode_parts(episode: Episode, features: DatasetFeatures) -> list[bytes]:
    """Return the serialized episode as pieces, to be written without copying the pictures.

    Raises:
        DatasetError: A declared column is missing, an undeclared one is there, a shape or dtype
            differs, a float is NaN or infinite, or an image is empty or of another size.
    """
    label = f"episode {episode.episode_id or '(without episode_id)'}"
    if len(episode) == 0:
        raise DatasetError(f"{label} has no steps; leave it out")
    given = _columns(episode, features)
    _same_names(given, features.steps, f"{label}: step column")
    _same_names(episode.metadata, features.metadata, f"{label}: metadata")
    example: dict[str, Values] = {}
    for key, feature in features.steps.items():
        example[STEPS + key] = _encode_column(given[key], feature, len(episode), f"{label}: {key}")
    for key, feature in features.metadata.items():
        where = f"{label}: metadata {key}"
        values = _encode_scalar(episode.metadata[key], feature, where)
        example[features.metadata_prefix + key] = values
    return example_parts(example)


def _columns(episode: Episode, features: DatasetFeatures) -> dict[str, Column]:
    """Return the columns; foreign datasets may have a nested action, or texts of another name."""
    columns: dict[str, Column] = {}
    if episode.action.shape[1]:
        columns[ACTION] = episode.action
    if INSTRUCTION in features.steps or any(episode.instructions):
        columns[INSTRUCTION] = episode.instructions
    for group in (episode.images, episode.observations):
        columns.update({OBSERVATION + key: values for key, values in group.items()})
    columns.update(episode.columns)
    return columns


def _same_names(given: Mapping[str, Any], declared: Mapping[str, Any], what: str) -> None:
    missing, extra = sorted(set(declared) - set(given)), sorted(set(given) - set(declared))
    if missing:
        raise DatasetError(f"{what} {missing[0]!r} is declared in the features but missing")
    if extra:
        raise DatasetError(
            f"{what} {extra[0]!r} is not declared in the features; declared: "
            f"{', '.join(sorted(declared))}"
        )


def _encode_column(column: Column, feature: Feature, length: int, where: str) -> Values:
    if feature.kind == "text":
        return [str(value).encode() for value in column]
    if feature.kind == "image":
        return [
            _checked_image(value, feature, f"{where}, step {i}") for i, value in enumerate(column)
        ]
    array = np.asarray(column)
    if array.shape != (length, *feature.shape):
        raise DatasetError(
            f"{where} has shape {list(array.shape)}, declared {[length, *feature.shape]} "
            "(steps first)"
        )
    if array.dtype != np.dtype(feature.dtype):
        raise DatasetError(f"{where} has dtype {array.dtype}, declared {feature.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        step = int(np.argwhere(~np.isfinite(array))[0][0])
        raise DatasetError(f"{where} is not finite at step {step}; one NaN spoils every statistic")
    return array


def _checked_image(value: Any, feature: Feature, where: str) -> bytes:
    data = bytes(value)
    try:
        size = image_size(data)
    except ImageError as error:
        raise DatasetError(f"{where}: {error}") from error
    if size != feature.shape[:2]:
        raise DatasetError(
            f"{where}: image is {size[0]}x{size[1]} (height x width), declared "
            f"{feature.shape[0]}x{feature.shape[1]}"
        )
    return data


def _encode_scalar(value: Scalar, feature: Feature, where: str) -> Values:
    if feature.kind == "text":
        if not isinstance(value, str):
            raise DatasetError(f"{where} is {value!r}, declared text")
        return [value.encode()]
    if isinstance(value, str):
        raise DatasetError(f"{where} is the text {value!r}, declared {feature.dtype}")
    array = np.asarray([value])
    if feature.dtype.startswith("float"):
        if not np.isfinite(array).all():
            raise DatasetError(f"{where} is {value!r}, which is not finite")
        return array.astype(np.float32)
    if array.dtype.kind == "f" or (feature.dtype == "bool" and array.dtype.kind != "b"):
        raise DatasetError(f"{where} is {value!r}, declared {feature.dtype}")
    return array
