# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scaling of actions and proprio by dataset statistics in OpenVLA's layout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evla_ros.errors import nearest
from evla_ros.model.errors import StatisticsError
from evla_ros.reading.text_files import read_json

Method = Literal["q99", "min_max", "mean_std"]
Float = NDArray[np.float64]
_FIELDS: dict[Method, tuple[str, str]] = {
    "q99": ("q01", "q99"),
    "min_max": ("min", "max"),
    "mean_std": ("mean", "std"),
}


@dataclass(frozen=True)
class Normalizer:
    """One linear map per number between physical units and the range of the model.

    Attributes:
        method: with `q99` and `min_max`, `low` to `high` maps to -1 to 1 and is clipped; with
            `mean_std`, `low` is the mean and `high` the standard deviation.
        low: [D] lower ends, or means.
        high: [D] upper ends, or standard deviations.
        mask: [D] False for numbers that pass through as they are (grippers).
        constant: [D] True for numbers that never changed in the dataset; they become 0.
    """

    method: Method
    low: Float
    high: Float
    mask: NDArray[np.bool_]
    constant: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """The number of numbers, D."""
        return len(self.low)

    @property
    def scale(self) -> Float:
        """What one unit of the model's range is in physical units, [D]; 1 where it is the same."""
        size = self.high if self.method == "mean_std" else 0.5 * (self.high - self.low)
        return np.where(self.mask, size, 1.0)

    def normalize(self, values: ArrayLike) -> Float:
        """Return physical values [..., D] in the range of the model.

        Raises:
            StatisticsError: the last axis has another length.
        """
        x = self._checked(values)
        if self.method == "mean_std":
            y = (x - self.low) / (self.high + 1e-8)
        else:
            y = np.clip(2.0 * (x - self.low) / (self.high - self.low + 1e-8) - 1.0, -1.0, 1.0)
        y = np.where(self.mask, y, x)
        return np.where(self.constant & self.mask, 0.0, y)

    def unnormalize(self, values: ArrayLike) -> Float:
        """Return values of the model's range [..., D] in physical units.

        Raises:
            StatisticsError: the last axis has another length.
        """
        y = self._checked(values)
        if self.method == "mean_std":
            x = y * self.high + self.low
        else:
            x = 0.5 * (y + 1.0) * (self.high - self.low) + self.low
        return np.where(self.mask, x, y)

    def _checked(self, values: ArrayLike) -> Float:
        array = np.asarray(values, dtype=np.float64)
        if array.shape[-1:] != (self.size,):
            raise StatisticsError(
                f"values of shape {list(array.shape)} do not fit statistics of {self.size} numbers"
            )
        return array


@dataclass(frozen=True)
class DatasetStatistics:
    """The content of `dataset_statistics.json`: action and proprio statistics per dataset."""

    datasets: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, path: Path) -> DatasetStatistics:
        """Read the file.

        Raises:
            StatisticsError: it is missing or malformed.
        """
        return cls.of(read_json(path, StatisticsError), str(path))

    @classmethod
    def of(cls, data: Any, source: str) -> DatasetStatistics:
        """Return the statistics in plain data.

        Args:
            data: the content of the file, or the same from elsewhere.
            source: where it is from, for messages.

        Raises:
            StatisticsError: it is something else.
        """
        if not isinstance(data, dict) or not all(isinstance(v, dict) for v in data.values()):
            raise StatisticsError(f"{source}: expected a mapping of dataset name to statistics")
        for name, entry in data.items():
            for part in ("action", "proprio"):
                if not isinstance(entry.get(part, {}), dict):
                    raise StatisticsError(f"{source}: {name}.{part} is no mapping of statistics")
        return cls(data)

    def write(self, path: Path) -> None:
        """Write the file in OpenVLA's layout."""
        path.write_text(json.dumps(self.datasets, indent=2) + "\n")

    def key(self, name: str | None, robot: str | None = None) -> str:
        """Return the name of the dataset to use.

        Args:
            name: the dataset; None takes the only one, or of several that with the robot's name.
            robot: the name of the robot's embodiment.

        Raises:
            StatisticsError: no such dataset, or several of which none is chosen.
        """
        if name is None:
            if len(self.datasets) == 1:
                return next(iter(self.datasets))
            if robot in self.datasets:
                return str(robot)
            raise StatisticsError(
                f"the checkpoint holds statistics of {len(self.datasets)} datasets "
                f"({', '.join(self.datasets)}); name one: parameter `statistics` of the policy "
                "node, or `evla export CHECKPOINT TARGET --statistics NAME`"
            )
        if name not in self.datasets:
            raise StatisticsError(
                f"unknown statistics key {name!r}; {nearest(name, self.datasets)}"
            )
        return name

    def only(self, name: str) -> DatasetStatistics:
        """Return the statistics of one dataset, under its name.

        Raises:
            StatisticsError: no such dataset.
        """
        key = self.key(name)
        return DatasetStatistics({key: self.datasets[key]})

    def action(self, name: str | None = None, method: Method = "q99") -> Normalizer:
        """Return what scales the actions of a dataset; without a mask every number is scaled.

        Args:
            name: the dataset; None is allowed only when there is exactly one.
            method: how to scale.

        Raises:
            StatisticsError: no such dataset, or it lacks these statistics.
        """
        key = self.key(name)
        if "action" not in self.datasets[key]:
            raise StatisticsError(f"dataset {key!r} has no action statistics")
        return make_normalizer(self.datasets[key]["action"], method, f"{key}.action")

    def proprio(self, name: str | None = None, method: Method = "q99") -> Normalizer:
        """Return what scales the proprio vector of a dataset; see `action` for the arguments."""
        key = self.key(name)
        if "proprio" not in self.datasets[key]:
            raise StatisticsError(f"dataset {key!r} has no proprio statistics")
        return make_normalizer(self.datasets[key]["proprio"], method, f"{key}.proprio")


def make_normalizer(statistics: Mapping[str, Any], method: Method, source: str) -> Normalizer:
    """Build a normaliser from one entry `{mean, std, min, max, q01, q99, mask}`.

    Args:
        statistics: the entry; each value is a list of D numbers.
        method: how to scale.
        source: where the entry stands, for messages.

    Raises:
        StatisticsError: a list is missing, of another length, or holds what is not finite.
    """
    names = _FIELDS[method]
    missing = [name for name in (*names, "min", "max") if name not in statistics]
    if missing:
        raise StatisticsError(f"{source}: lacks {', '.join(missing)}, which {method} needs")
    try:
        low, high, least, most = (
            np.asarray(statistics[name], dtype=np.float64) for name in (*names, "min", "max")
        )
        mask = np.asarray(statistics.get("mask", np.ones(low.shape)), dtype=bool)
    except (TypeError, ValueError, OverflowError) as error:
        raise StatisticsError(f"{source}: not lists of numbers: {error}") from error
    shapes = {array.shape for array in (low, high, least, most, mask)}
    if len(shapes) != 1 or low.ndim != 1:
        raise StatisticsError(f"{source}: lists of different lengths: {sorted(map(str, shapes))}")
    if not all(np.isfinite(array).all() for array in (low, high, least, most)):
        raise StatisticsError(f"{source}: holds values that are not finite")
    return Normalizer(method, low, high, mask, least == most)
