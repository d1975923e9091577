# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `dataset_statistics.json` in OpenVLA's layout: mean, std, min, max, q01, q99 and mask.

The layout is {dataset name: {action: {...}, proprio: {...}, num_transitions, num_trajectories}},
and inference selects the entry by that name. The statistics are over all splits together, as the
published loaders compute them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.narrow_spans import settle
from evla_ros.embodiment import action_layout, parse_embodiment
from evla_ros.errors import shorten
from evla_ros.reading.text_files import parse_json

STATISTICS_FILE = "dataset_statistics.json"
FloatArray = npt.NDArray[np.float32]
ARM_NUMBERS = 7
_FLOAT32_MAX = 3.4e38
COLUMNS = ("mean", "std", "max", "min", "q01", "q99")


class StatisticsCollector:
    """Collects the actions and proprioception of all episodes; 4 bytes for each number."""

    def __init__(self) -> None:
        self._actions: list[FloatArray] = []
        self._proprios: list[FloatArray] = []

    def add(self, action: FloatArray, proprio: FloatArray | None) -> None:
        """Add one episode: action [T, D], proprio [T, P] or None."""
        self._actions.append(np.array(action, dtype=np.float32))
        if proprio is not None:
            self._proprios.append(np.array(proprio, dtype=np.float32))

    def result(self, mask: Sequence[bool] | None = None) -> dict[str, Any]:
        """Return the statistics.

        Spans that carry no information are adjusted, see `narrow_spans`.

        Args:
            mask: [D] True for the numbers that a loader is to normalise.

        Raises:
            DatasetError: There is no step, a number is not finite, or the mask has another length.
        """
        if not any(len(action) for action in self._actions):
            raise DatasetError("no steps to compute statistics from")
        actions = np.concatenate(self._actions)
        entry = column_statistics(actions, "action")
        entry["mask"] = list(mask) if mask is not None else default_mask(actions.shape[1])
        if len(entry["mask"]) != actions.shape[1]:
            raise DatasetError(
                f"the normalisation mask has {len(entry['mask'])} entries but the action has "
                f"{actions.shape[1]} numbers"
            )
        entry = settle(entry)
        if self._proprios:
            proprio = settle(column_statistics(np.concatenate(self._proprios), "proprio"))
        else:
            proprio = {key: [0.0] * actions.shape[1] for key in entry if key != "mask"}
        return {
            "action": entry,
            "proprio": proprio,
            "num_transitions": len(actions),
            "num_trajectories": len(self._actions),
        }


def column_statistics(values: FloatArray, what: str) -> dict[str, Any]:
    """Return mean, std (of the population), max, min, q01 and q99 of each column of [N, D]."""
    finite = np.isfinite(values).all(axis=0)
    if not finite.all():
        column = int(np.flatnonzero(~finite)[0])
        raise DatasetError(
            f"{what} number {column} holds NaN or infinity; statistics would be lost"
        )
    low, high = np.quantile(values, [0.01, 0.99], axis=0)
    return {
        "mean": values.mean(axis=0, dtype=np.float64).tolist(),
        "std": values.std(axis=0, dtype=np.float64).tolist(),
        "max": values.max(axis=0).tolist(),
        "min": values.min(axis=0).tolist(),
        "q01": low.tolist(),
        "q99": high.tolist(),
    }


def default_mask(action_dim: int) -> list[bool]:
    """Return True for each action number, but False at each arm's gripper.

    The gripper is every seventh number, when D is a multiple of seven.
    """
    if action_dim % ARM_NUMBERS:
        return [True] * action_dim
    return [index % ARM_NUMBERS != ARM_NUMBERS - 1 for index in range(action_dim)]


def action_mask(embodiment_text: str, action_dim: int) -> list[bool]:
    """Return the mask of a dataset with this embodiment, `default_mask` where it has none of use.

    Args:
        embodiment_text: The dataset's embodiment file; may be empty.
        action_dim: Numbers of the action, D.
    """
    if embodiment_text:
        layout = action_layout(parse_embodiment(embodiment_text, source="embodiment.yaml"))
        if layout.size == action_dim:
            return list(layout.normalization_mask)
    return default_mask(action_dim)


def statistics_to_json(name: str, statistics: dict[str, Any]) -> str:
    """Return the text of `dataset_statistics.json`."""
    return json.dumps({name: statistics}, indent=2) + "\n"


def statistics_from_json(text: str, source: str) -> dict[str, dict[str, Any]]:
    """Parse the file into statistics by dataset name.

    Raises:
        DatasetError: An entry lacks a key.
    """
    content = parse_json(text, source, DatasetError)
    if not isinstance(content, dict) or not all(isinstance(e, dict) for e in content.values()):
        raise DatasetError(f"{source}: expected a mapping of dataset name to statistics")
    for name, entry in content.items():
        _check_entry(entry, f"{source}: {shorten(name)}")
    return content


def _check_entry(entry: dict[str, Any], where: str) -> None:
    """Refuse statistics whose columns are missing, differ in length, or are not finite numbers."""
    for part in ("action", "proprio"):
        columns = entry.get(part)
        if columns is None and part == "proprio":
            continue
        if not isinstance(columns, dict):
            raise DatasetError(f"{where} has no statistics of {part!r}")
        sizes = {_length(columns.get(key), f"{where}.{part}.{key}") for key in COLUMNS}
        mask = columns.get("mask")
        if mask is not None:
            sizes.add(_length(mask, f"{where}.{part}.mask"))
        if len(sizes) != 1:
            raise DatasetError(f"{where}.{part}: the lists have different lengths")


def _length(values: Any, where: str) -> int:
    if not isinstance(values, list):
        raise DatasetError(f"{where} is missing, or no list")
    for value in values:
        if not isinstance(value, (int, float)) or not abs(value) < _FLOAT32_MAX:
            raise DatasetError(f"{where} holds {shorten(repr(value))}, which is no finite number")
    return len(values)
