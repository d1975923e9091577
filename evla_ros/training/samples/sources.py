# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The datasets of a configuration, opened: what is learned, and what is held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from evla_ros.data.rlds.split_part import split_name, split_part
from evla_ros.training.config import DatasetEntry, TrainConfig
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.entries import LAST_PART, Folder, folders
from evla_ros.training.samples.open_files import allow_open_files
from evla_ros.training.samples.source import MOST_EPISODES_CACHED, Source

_DEFAULT_VAL = DatasetEntry.model_fields["val_split"].default
_LEAST_CACHED = 64


def open_training(
    config: TrainConfig, tell: Callable[[str], None] = lambda _: None
) -> tuple[tuple[Source, ...], list[str]]:
    """Return the training split of every dataset, and sentences on what was left out.

    Args:
        config: The settings of the run.
        tell: Is told which dataset is being opened.

    Raises:
        TrainingDataError: A dataset cannot be learned from, two have one name, or one of a mixture
            is not there.
    """
    asked, notes = folders(config.datasets)
    made: list[Source] = []
    for number, folder in enumerate(asked):
        tell(f"opening {folder.path.name} ({number + 1} of {len(asked)})")
        made.append(_open(folder, folder.split, len(asked)))
        allow_open_files(made)
    sources = tuple(made)
    names = [source.name for source in sources]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise TrainingDataError(f"two datasets are both called {twice[0]!r}; merge or rename them")
    return sources, notes


def open_held_out(
    config: TrainConfig, train: Sequence[Source], *, resume: bool = False
) -> tuple[Source, ...]:
    """Return the held-out splits of the datasets that have one.

    Args:
        config: The settings of the run.
        train: The training split of every dataset of the settings.
        resume: A split that is not there any more is left out instead of refused.

    Raises:
        TrainingDataError: The settings name a `val_split` that a dataset does not have.
    """
    sources = []
    asked, _ = folders(config.datasets)
    for folder, source in zip(asked, train, strict=True):
        splits = source.dataset.splits
        if folder.val_split and _episodes(folder.val_split, splits):
            sources.append(_open(folder, folder.val_split, len(asked)))
        elif folder.val_split not in ("", _DEFAULT_VAL, LAST_PART) and not resume:
            have = ", ".join(f"{name} ({count})" for name, count in splits.items())
            raise TrainingDataError(
                f"val_split: dataset {source.name!r} has no episodes in {folder.val_split!r}; its "
                f"splits: {have}; val_split: '' trains without evaluation"
            )
    return tuple(sources)


def _episodes(split: str, splits: Mapping[str, int]) -> int:
    part = split_part(split, splits.get(split_name(split), 0))
    return part.stop - part.start


def _open(folder: Folder, split: str, datasets: int) -> Source:
    return Source(
        folder.path,
        split,
        folder.transform,
        weight=folder.weight,
        entry=folder.entry,
        cached_episodes=max(_LEAST_CACHED, MOST_EPISODES_CACHED // datasets),
    )
