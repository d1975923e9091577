# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which statistics a run normalises with: one entry for the robot, or one per dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from evla_ros.data.rlds.statistics import column_statistics, default_mask
from evla_ros.embodiment import parse_embodiment
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.source import Source

Rule = Literal["auto", "pooled", "per_dataset"]


def choose_statistics(sources: Sequence[Source], rule: Rule) -> DatasetStatistics:
    """Return the statistics that a checkpoint of these datasets carries.

    auto: several datasets of one robot share one entry under the robot's name, so that whoever
    serves the checkpoint has nothing to choose; anything else keeps one entry per dataset. Raises
    TrainingDataError when datasets that are not of one robot are to be pooled.
    """
    robot = _robot(sources)
    if rule == "pooled" and robot is None:
        names = ", ".join(source.name for source in sources)
        raise TrainingDataError(
            f"statistics: pooled needs datasets with the same embodiment.yaml, {names} are not; "
            "use statistics: per_dataset"
        )
    if robot is not None and (rule == "pooled" or (rule == "auto" and len(sources) > 1)):
        return DatasetStatistics({robot: pooled_statistics(sources)})
    return DatasetStatistics({source.name: source.statistics() for source in sources})


def pooled_statistics(sources: Sequence[Source]) -> dict[str, Any]:
    """Return the statistics of all steps of all sources together, in OpenVLA's layout."""
    numbers = [source.numbers() for source in sources]
    actions = np.concatenate([action for action, _ in numbers])
    action = column_statistics(actions, "action")
    action["mask"] = default_mask(actions.shape[1])
    result: dict[str, Any] = {"action": action}
    proprios = [proprio for _, proprio in numbers if proprio is not None]
    if len(proprios) == len(numbers):
        result["proprio"] = column_statistics(np.concatenate(proprios), "proprio")
    episodes = sum(source.episode_count for source in sources)
    return {**result, "num_transitions": len(actions), "num_trajectories": episodes}


def statistics_key(statistics: DatasetStatistics, dataset: str) -> str:
    """Return the entry for a dataset: its own, else the only one there is.

    Raises StatisticsError naming the entries when there are several and none is the dataset's.
    """
    return statistics.key(dataset if dataset in statistics.datasets else None)


def _robot(sources: Sequence[Source]) -> str | None:
    texts = [source.dataset.embodiment_text for source in sources]
    robots = [
        parse_embodiment(text, source=f"{source.name}: embodiment.yaml")
        for text, source in zip(texts, sources, strict=True)
        if text
    ]
    same = len({robot.content_hash for robot in robots}) == 1
    return robots[0].name if same and len(robots) == len(texts) else None
