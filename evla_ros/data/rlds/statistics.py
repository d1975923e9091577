# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`dataset_statistics.json` in OpenVLA's layout: per number mean, std, min, max, q01, q99 and mask.

{dataset name: {action: {...}, proprio: {...}, num_transitions, num_trajectories}}; the name is the
key that un-normalises at inference. Over all splits together, as the loaders compute it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.errors import DatasetError

STATISTICS_FILE = "dataset_statistics.json"
FloatArray = npt.NDArray[np.float32]
ARM_NUMBERS = 7


class StatisticsCollector:
    """Collects actions and proprioception of episode after episode (4 bytes a number)."""

    def __init__(self) -> None:
        self._actions: list[FloatArray] = []
        self._proprios: list[FloatArray] = []

    def add(self, action: FloatArray, proprio: FloatArray | None) -> None:
        """Add one episode: action [T, D], proprio [T, P] or None."""
        self._actions.append(np.array(action, dtype=np.float32))
        if proprio is not None:
            self._proprios.append(np.array(proprio, dtype=np.float32))

    def result(self, mask: Sequence[bool] | None = None) -> dict[str, Any]:
        """Return the statistics; `mask` is True where a loader shall normalise, [D].

        Raises DatasetError without any step, when a number is not finite, or for a mask of another
        length.
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
        if self._proprios:
            proprio = column_statistics(np.concatenate(self._proprios), "proprio")
        else:
            proprio = {key: [0.0] * actions.shape[1] for key in entry if key != "mask"}
        return {
            "action": entry,
            "proprio": proprio,
            "num_transitions": len(actions),
            "num_trajectories": len(self._actions),
        }


def column_statistics(values: FloatArray, what: str) -> dict[str, Any]:
    """Return mean, std (population), max, min, q01 and q99 per column of [N, D]."""
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
    """False at every arm's gripper (its seventh number) when D is a multiple of seven."""
    if action_dim % ARM_NUMBERS:
        return [True] * action_dim
    return [index % ARM_NUMBERS != ARM_NUMBERS - 1 for index in range(action_dim)]


def statistics_to_json(name: str, statistics: dict[str, Any]) -> str:
    """Return the text of `dataset_statistics.json`."""
    return json.dumps({name: statistics}, indent=2) + "\n"


def statistics_from_json(text: str, source: str) -> dict[str, dict[str, Any]]:
    """Parse the file: dataset name -> statistics. Raises DatasetError when an entry lacks a key."""
    try:
        content = json.loads(text)
        for entry in content.values():
            sizes = {
                len(entry["action"][key]) for key in ("mean", "std", "max", "min", "q01", "q99")
            }
            if len(sizes) != 1:
                raise ValueError("columns of different lengths")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{source} holds no dataset statistics: {type(error).__name__}: {error}"
        ) from error
    return dict(content)
