# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the statistics that normalise a run: one entry for the robot, or one per dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from evla_ros.data.rlds.narrow_spans import narrow_numbers, settle
from evla_ros.data.rlds.statistics import column_statistics
from evla_ros.embodiment import Embodiment, parse_embodiment
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.source import Source

Rule = Literal["auto", "pooled", "per_dataset"]


def choose_statistics(
    sources: Sequence[Source], rule: Rule, robot: Embodiment | None = None
) -> DatasetStatistics:
    """Return the statistics that a checkpoint of these datasets carries.

    Args:
        sources: The datasets.
        rule: `pooled` makes one entry under the robot's name, `per_dataset` one for each dataset.
            `auto` keeps the name of a single dataset. Of several it pools those of the robot under
            the robot's name, so that serving the checkpoint needs no choice.
        robot: The robot that the checkpoint is for; None takes the one that all datasets share.

    Raises:
        TrainingDataError: Datasets that are not of one robot are to be pooled.
    """
    name = robot.name if robot else _shared_robot(sources)
    own = [source for source in sources if name and robot_name(source) == name]
    if rule == "pooled" and (not own or len(own) < len(sources)):
        names = ", ".join(source.name for source in sources)
        raise TrainingDataError(
            f"statistics: pooled needs datasets with the same embodiment.yaml, {names} are not; "
            "use statistics: per_dataset"
        )
    if rule == "per_dataset" or not own or (rule == "auto" and len(sources) == 1):
        own = []
    entries = {str(name): pooled_statistics(own)} if own else {}
    others = {source.name: source.statistics() for source in sources if source not in own}
    return DatasetStatistics({**entries, **others})


def pooled_statistics(sources: Sequence[Source]) -> dict[str, Any]:
    """Return the statistics of all steps of all sources together, in OpenVLA's layout."""
    numbers = [source.numbers() for source in sources]
    actions = np.concatenate([action for action, _ in numbers])
    action = column_statistics(actions, "action")
    action["mask"] = sources[0].action_mask
    result: dict[str, Any] = {"action": settle(action)}
    proprios = [proprio for _, proprio in numbers if proprio is not None]
    if len(proprios) == len(numbers):
        result["proprio"] = settle(column_statistics(np.concatenate(proprios), "proprio"))
    episodes = sum(source.episode_count for source in sources)
    return {**result, "num_transitions": len(actions), "num_trajectories": episodes}


def narrow_notes(sources: Sequence[Source], names: Sequence[str]) -> list[str]:
    """Return a sentence per action number that training cannot learn by its quantiles."""
    actions = np.concatenate([source.numbers()[0] for source in sources])
    found = narrow_numbers(actions, sources[0].action_mask)
    return [f"action {names[number.column]} {number.text}" for number in found]


def statistics_key(statistics: DatasetStatistics, source: Source) -> str:
    """Return the key of the entry for a dataset: its own, its robot's, or the only one.

    Raises:
        StatisticsError: There are several entries and none is the dataset's; they are listed.
    """
    known = statistics.datasets
    return statistics.key(source.name if source.name in known else None, robot_name(source))


def robot_name(source: Source) -> str | None:
    """Return the name of the robot stored with a dataset, or None."""
    text = source.dataset.embodiment_text
    return parse_embodiment(text, source=f"{source.name}: embodiment.yaml").name if text else None


def _shared_robot(sources: Sequence[Source]) -> str | None:
    """Return the name of the robot when all datasets hold the same embodiment file."""
    texts = [source.dataset.embodiment_text for source in sources]
    robots = [
        parse_embodiment(text, source=f"{source.name}: embodiment.yaml")
        for text, source in zip(texts, sources, strict=True)
        if text
    ]
    same = len({robot.content_hash for robot in robots}) == 1
    return robots[0].name if same and len(robots) == len(texts) else None
