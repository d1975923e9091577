# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The step columns of one episode, by the names that features.json gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Episode
from evla_ros.data.open_x.errors import OpenXError
from evla_ros.data.rlds.features import ACTION, OBSERVATION, DatasetFeatures
from evla_ros.errors import nearest

Array = npt.NDArray[Any]


class Columns:
    """Numbers [T, ...] by flat name, such as `action/world_vector`; remembers what was asked for.

    Attributes:
        dataset: Name of the dataset, for messages.
        length: Steps of the episode, T.
        used: The names that were looked up.
    """

    def __init__(self, dataset: str, length: int, values: Mapping[str, Array]) -> None:
        self.dataset, self.length = dataset, length
        self.used: set[str] = set()
        self._values = values

    def __getitem__(self, name: str) -> Array:
        """Return a column.

        Raises:
            OpenXError: The dataset has no such column.
        """
        self.used.add(name)
        try:
            return self._values[name]
        except KeyError as error:
            raise missing_column(self.dataset, name, self._values) from error


def missing_column(dataset: str, name: str, there: Iterable[str]) -> OpenXError:
    """Return the refusal of a dataset that lacks a column which its transform reads."""
    return OpenXError(
        f"dataset {dataset!r} lacks the column {name!r}, which the published dataset of that name "
        f"has; {nearest(name, sorted(there))}; name another transform (`transform: NAME`) if it is "
        "another dataset"
    )


def columns_of(dataset: str, episode: Episode) -> Columns:
    """Return the columns of an episode as it was stored."""
    values: dict[str, Array] = {OBSERVATION + k: v for k, v in episode.observations.items()}
    values.update(episode.columns)
    if episode.action.shape[1]:
        values[ACTION] = episode.action
    return Columns(dataset, len(episode), values)


def blank_columns(dataset: str, features: DatasetFeatures, length: int = 4) -> Columns:
    """Return columns of zeros with the sizes that features.json declares.

    What a transform makes of them shows whether it fits, before any record is read.
    """
    values: dict[str, Array] = {}
    for name, feature in features.steps.items():
        if feature.kind in ("tensor", "scalar"):
            shape = (length, *(size or 0 for size in feature.shape))
            values[name] = np.broadcast_to(np.zeros((), dtype=feature.dtype), shape)
    return Columns(dataset, length, values)
