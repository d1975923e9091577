# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Action and proprio normalisation from dataset statistics in OpenVLA's layout."""

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

Method = Literal["q99", "min_max", "mean_std"]
Float = NDArray[np.float64]
_FIELDS: dict[Method, tuple[str, str]] = {
    "q99": ("q01", "q99"),
    "min_max": ("min", "max"),
    "mean_std": ("mean", "std"),
}


@dataclass(frozen=True)
class Normalizer:
    """One affine map per dimension between physical units and the model's range.

    With `q99` and `min_max`, `low`..`high` maps to -1..1 and is clipped; with `mean_std` they are
    mean and standard deviation. Dimensions whose mask is False (grippers) pass through; constant
    dimensions become 0.
    """

    method: Method
    low: Float
    high: Float
    mask: NDArray[np.bool_]
    constant: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of dimensions, D."""
        return len(self.low)

    def normalize(self, values: ArrayLike) -> Float:
        """Physical values [..., D] -> model range."""
        x = self._checked(values)
        if self.method == "mean_std":
            y = (x - self.low) / (self.high + 1e-8)
        else:
            y = np.clip(2.0 * (x - self.low) / (self.high - self.low + 1e-8) - 1.0, -1.0, 1.0)
        y = np.where(self.mask, y, x)
        return np.where(self.constant & self.mask, 0.0, y)

    def unnormalize(self, values: ArrayLike) -> Float:
        """Model range [..., D] -> physical values."""
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
    """A `dataset_statistics.json`: action and proprio statistics of one or more datasets."""

    datasets: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, path: Path) -> DatasetStatistics:
        """Read the file; `StatisticsError` when it is missing or malformed."""
        try:
            data = json.loads(path.read_text())
        except OSError as error:
            raise StatisticsError(
                f"cannot read statistics {str(path)!r}: {error.strerror}"
            ) from error
        except ValueError as error:
            raise StatisticsError(f"{path}: not valid JSON: {error}") from error
        if not isinstance(data, dict) or not all(isinstance(v, dict) for v in data.values()):
            raise StatisticsError(f"{path}: expected a mapping of dataset name to statistics")
        return cls(data)

    def write(self, path: Path) -> None:
        """Write the file in OpenVLA's layout."""
        path.write_text(json.dumps(self.datasets, indent=2) + "\n")

    def key(self, name: str | None) -> str:
        """The dataset to use; may be omitted only when there is exactly one."""
        if name is None:
            if len(self.datasets) == 1:
                return next(iter(self.datasets))
            raise StatisticsError(
                f"the checkpoint holds {len(self.datasets)} datasets "
                f"({', '.join(self.datasets)}); name one"
            )
        if name not in self.datasets:
            raise StatisticsError(
                f"unknown statistics key {name!r}; {nearest(name, self.datasets)}"
            )
        return name

    def action(self, name: str | None = None, method: Method = "q99") -> Normalizer:
        """The action normaliser of a dataset; a missing mask means every dimension."""
        key = self.key(name)
        if "action" not in self.datasets[key]:
            raise StatisticsError(f"dataset {key!r} has no action statistics")
        return make_normalizer(self.datasets[key]["action"], method, f"{key}.action")

    def proprio(self, name: str | None = None, method: Method = "q99") -> Normalizer:
        """The proprio normaliser of a dataset."""
        key = self.key(name)
        if "proprio" not in self.datasets[key]:
            raise StatisticsError(f"dataset {key!r} has no proprio statistics")
        return make_normalizer(self.datasets[key]["proprio"], method, f"{key}.proprio")


def make_normalizer(statistics: Mapping[str, Any], method: Method, source: str) -> Normalizer:
    """Build a normaliser from one `{mean, std, min, max, q01, q99, mask}` entry."""
    names = _FIELDS[method]
    missing = [name for name in (*names, "min", "max") if name not in statistics]
    if missing:
        raise StatisticsError(f"{source}: lacks {', '.join(missing)}, which {method} needs")
    try:
        low, high, least, most = (
            np.asarray(statistics[name], dtype=np.float64) for name in (*names, "min", "max")
        )
        mask = np.asarray(statistics.get("mask", np.ones(low.shape)), dtype=bool)
    except (TypeError, ValueError) as error:
        raise StatisticsError(f"{source}: not lists of numbers: {error}") from error
    shapes = {array.shape for array in (low, high, least, most, mask)}
    if len(shapes) != 1 or low.ndim != 1:
        raise StatisticsError(f"{source}: lists of different lengths: {sorted(map(str, shapes))}")
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise StatisticsError(f"{source}: holds values that are not finite")
    return Normalizer(method, low, high, mask, least == most)
