# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The datasets of a recipe: the jobs that make them, and what they change in a training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from evla_ros.data.convert.conversion import Conversion
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.recipes import work
from evla_ros.recipes.jobs import ONE_THREAD, Job
from evla_ros.recipes.simulated_data.settings import Collection, CollectJob
from evla_ros.training.config import TrainConfig

IMAGE_SIZE = 128
HELD_OUT = "val"  # the split that datasets here have for it


def change(key: str, value: Any) -> str:
    """Return the word `key.sub=value`; the value is plain data, and quotes in it do no harm."""
    text = yaml.safe_dump([value], default_flow_style=True, width=math.inf, allow_unicode=True)
    return f"{key}={text.strip()[1:-1]}"


def is_dataset(folder: Path) -> bool:
    """Whether a dataset is complete (its version folder is renamed into place)."""
    return any(folder.glob("*/dataset_info.json"))


def evaluating(datasets: Sequence[Path]) -> list[str]:
    """Return the changes that leave out evaluation where none of the datasets holds anything out.

    A few episodes may all be for training; settings that have no effect are refused then.
    """
    for folder in filter(is_dataset, datasets):
        if RldsDataset.open(folder).splits.get(HELD_OUT):
            return []
    fields = TrainConfig.model_fields
    return [change(key, fields[key].default) for key in ("eval_every", "eval_batches")]


def converting(bags: Sequence[Path], dataset: Path, processes: int) -> Job:
    """Return what makes a dataset of bags."""
    episodes = ConvertOptions(image_size=(IMAGE_SIZE, IMAGE_SIZE))
    conversion = Conversion(
        tuple(bags), dataset.parent, dataset.name, episodes=episodes, jobs=processes
    )
    return Job(work.convert, conversion)


def collecting(job: CollectJob, dataset: Path, processes: int) -> Job:
    """Return what collects a dataset."""
    return Job(work.collect, Collection(dataset, job, processes), ONE_THREAD)
