# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read the episodes of a published Open-X dataset as training does, and judge those actions."""

from __future__ import annotations

from dataclasses import replace

from evla_ros.data.doctor.finding import DatasetFinding
from evla_ros.data.episode import Episode
from evla_ros.data.open_x.datasets import known_name
from evla_ros.data.open_x.errors import OpenXError
from evla_ros.data.open_x.standardize import needed_columns, standardize
from evla_ros.data.rlds.reader import RldsDataset


def published_name(dataset: RldsDataset) -> tuple[str, list[DatasetFinding]]:
    """Return the published name of a dataset, empty for others, and what speaks against it."""
    name = None if dataset.embodiment_text else known_name(dataset.name)
    if name is not None:
        try:
            needed_columns(name, dataset.features)
        except OpenXError as error:
            fix = "rename the folder, or name the transform when it is trained on"
            return "", [DatasetFinding("structure", "error", "columns", str(error), fix)]
        return name, []
    if dataset.features.action_dim:
        return "", []
    text = "no flat `action`, and no published dataset has this name: actions are not judged"
    fix = "write the transform that its training needs (docs/training.md)"
    return "", [DatasetFinding("structure", "warning", "action", text, fix)]


def as_trained(name: str, episode: Episode) -> Episode:
    """Return an episode with the actions and texts that training takes from it."""
    if not name:
        return episode
    found = standardize(name, episode)
    return replace(episode, action=found.action, instructions=found.instructions)
