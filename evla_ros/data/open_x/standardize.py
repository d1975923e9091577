# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an episode as published to the convention of this project.

Pose deltas [m, rad], then the gripper, absolute, 1 = open; one text a step.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Episode
from evla_ros.data.open_x.columns import Columns, blank_columns, columns_of, missing_column
from evla_ros.data.open_x.dataset import OpenXDataset, TextOfRow
from evla_ros.data.open_x.datasets import DATASETS
from evla_ros.data.open_x.errors import OpenXError
from evla_ros.data.open_x.pieces import Difference, joined
from evla_ros.data.rlds.episode_decode import INSTRUCTION_KEYS
from evla_ros.data.rlds.features import OBSERVATION, DatasetFeatures

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class OpenXEpisode:
    """An episode in the convention of this project.

    Attributes:
        cameras: primary, secondary, wrist -> observation key, where the dataset has them.
        action: [T, D] motion, and the gripper, 1 = open.
        proprio: [T, P].
        instructions: T texts.
        first: Earlier steps are never learned.
        stop: One past the last step to learn.
        learned: [T] which of those steps are learned; None: all.
        differences: Whether the angles are plain differences of stored ones.
    """

    cameras: dict[str, str]
    action: FloatArray
    proprio: FloatArray
    instructions: Sequence[str]
    first: int
    stop: int
    learned: npt.NDArray[np.bool_] | None
    differences: bool


def standardize(name: str, episode: Episode) -> OpenXEpisode:
    """Return an episode of the known dataset `name` in the convention of this project.

    Raises:
        OpenXError: It lacks a column of that dataset, or a column has another size.
    """
    dataset = DATASETS[name]
    columns = columns_of(name, episode)
    action = _action(name, dataset, columns)
    skipped, left = dataset.skip
    return OpenXEpisode(
        _cameras(dataset, action),
        action,
        joined(dataset.state, columns),
        _instructions(dataset, columns, episode),
        min(skipped, len(action)),
        max(len(action) - left, min(skipped, len(action))),
        dataset.moving(action) if dataset.moving else None,
        any(isinstance(piece, Difference) for piece in dataset.motion),
    )


def needed_columns(name: str, features: DatasetFeatures) -> frozenset[str]:
    """Return the step columns that `standardize` reads, and the pictures.

    Raises:
        OpenXError: The dataset that has these features is not the known one of that name.
    """
    dataset = DATASETS[name]
    columns = blank_columns(name, features)
    _action(name, dataset, columns)
    joined(dataset.state, columns)
    found = set(columns.used)
    language = _language(dataset, features)
    if language is None:
        raise missing_column(name, dataset.language, features.steps)
    pictures = {OBSERVATION + key for key in dataset.cameras.values()}
    return frozenset({*found, language, *(pictures & set(features.steps))})


def _action(name: str, dataset: OpenXDataset, columns: Columns) -> FloatArray:
    motion, raw = joined(dataset.motion, columns), dataset.gripper(columns)
    wanted = dataset.action_numbers - 1
    if motion.shape[1] != wanted or raw.shape[1] != 1:
        raise OpenXError(
            f"dataset {name!r}: its columns {', '.join(sorted(columns.used))} give an action of "
            f"{motion.shape[1]} motion and {raw.shape[1]} gripper numbers, {wanted} and 1 belong; "
            "it is not the published dataset of that name"
        )
    opened = dataset.gripper_rule(raw[:, 0]) if len(raw) else raw[:, 0]
    return np.concatenate([motion, opened[:, None].astype(np.float32)], axis=1)


def _cameras(dataset: OpenXDataset, action: FloatArray) -> dict[str, str]:
    found = dict(dataset.cameras)
    if dataset.swapped and zlib.crc32(np.ascontiguousarray(action).tobytes()) & 1:
        one, two = dataset.swapped
        found[one], found[two] = found[two], found[one]
    return found


def _language(dataset: OpenXDataset, features: DatasetFeatures) -> str | None:
    """Return the column that the texts come from: the published one, or the usual ones."""
    candidates = (dataset.language, *(() if dataset.text else INSTRUCTION_KEYS))
    return next((key for key in candidates if key in features.steps), None)


def _instructions(dataset: OpenXDataset, columns: Columns, episode: Episode) -> Sequence[str]:
    if dataset.text is not None:
        rows: npt.NDArray[Any] = columns[dataset.language]
        made: dict[bytes, str] = {}
        return [_once(made, row, dataset.text) for row in rows]
    return episode.instructions


def _once(made: dict[bytes, str], row: npt.NDArray[Any], text: TextOfRow) -> str:
    """Return the text of a row, which is mostly that of the row before."""
    key = row.tobytes()
    if key not in made:
        made[key] = text(row)
    return made[key]
