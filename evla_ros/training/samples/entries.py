# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The datasets that the entries of a configuration mean: one folder each, mixtures taken apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evla_ros.data.open_x.datasets import DATASETS
from evla_ros.data.open_x.mixtures import mixture
from evla_ros.data.rlds.reader import RldsDataset, is_dataset
from evla_ros.training.config import DatasetEntry
from evla_ros.training.errors import TrainingDataError

FIRST_PART, LAST_PART = "train[:95%]", "train[95%:]"


@dataclass(frozen=True)
class Folder:
    """One dataset to open.

    Attributes:
        path: Its folder.
        entry: Number of its entry in the settings.
        weight: Multiplies its size.
        transform: Name of the transform.
        split: The split that is learned.
        val_split: The split that is held out.
    """

    path: Path
    entry: int
    weight: float
    transform: str
    split: str
    val_split: str


def folders(entries: Sequence[DatasetEntry]) -> tuple[list[Folder], list[str]]:
    """Return the datasets of the entries in order, and sentences on what was left out of mixtures.

    Raises:
        TrainingDataError: Datasets of a mixture are not there; names them.
    """
    found: list[Folder] = []
    notes: list[str] = []
    for number, entry in enumerate(entries):
        if entry.path:
            splits = (entry.split, entry.val_split)
            path = Path(entry.path)
            found.append(Folder(path, number, entry.weight, entry.transform, *splits))
        else:
            weights, left_out = _of_one_kind(entry.mixture, mixture(entry.mixture))
            there, absent = _found(entry, number, weights)
            notes += [*left_out, *absent]
            found += there
    return found, notes


def _found(
    entry: DatasetEntry, number: int, weights: Mapping[str, float]
) -> tuple[list[Folder], list[str]]:
    places = {name: folder_of(Path(entry.root), name) for name in weights}
    missing = [name for name, place in places.items() if place is None]
    where = f"datasets[{number}]: {len(missing)} of the {len(weights)} datasets of mixture"
    text = f"{where} {entry.mixture!r} are not below {entry.root!r}: {', '.join(missing)}"
    if len(missing) == len(weights):
        raise TrainingDataError(
            f"{text}; root is the folder that holds each under its name, as "
            f"{entry.root}/{missing[0]}/0.1.0/dataset_info.json"
        )
    if missing and not entry.allow_missing:
        raise TrainingDataError(
            f"{text}; put them there, or go on without them: allow_missing: true"
        )
    notes = [f"{text}; the others share what was theirs, by their weights"] if missing else []
    kept = {name: place for name, place in places.items() if place is not None}
    versions = [_version_note(name, place) for name, place in kept.items()]
    made = [
        Folder(place, number, entry.weight * weights[name], name, *_splits(entry, place))
        for name, place in kept.items()
    ]
    return made, [*notes, *filter(None, versions)]


def _splits(entry: DatasetEntry, place: Path) -> tuple[str, str]:
    """Return the splits; without a `val` split the last 5 % are held out, as the publishers do."""
    if entry.split != "train" or entry.val_split != "val":
        return entry.split, entry.val_split
    if RldsDataset.open(place).splits.get("val"):
        return entry.split, entry.val_split
    return FIRST_PART, LAST_PART


def folder_of(root: Path, name: str) -> Path | None:
    """Return the folder of a known dataset below `root`, or None.

    It is that of the version that the published runs took, where a newer one is known to be broken.
    """
    known = DATASETS[name]
    for candidate in (name, *known.other_names):
        place = root / candidate
        if known.version and is_dataset(place / known.version):
            return place / known.version
        if is_dataset(place):
            return place
    return None


def _version_note(name: str, place: Path) -> str:
    wanted = DATASETS[name].version
    if not wanted or place.name == wanted:
        return ""
    return (
        f"dataset {name!r}: the published runs took version {wanted}, whose successors are known "
        f"to be broken; {place} does not have it, and its newest version is taken"
    )


def _of_one_kind(
    name: str, weights: Mapping[str, float]
) -> tuple[Mapping[str, float], Iterator[str]]:
    """Leave out the datasets whose actions are of another kind than most."""
    kinds = Counter(DATASETS[dataset].action_numbers for dataset in weights)
    usual = kinds.most_common(1)[0][0]
    kept = {key: w for key, w in weights.items() if DATASETS[key].action_numbers == usual}
    notes = (
        f"mixture {name!r}: {key} is left out, as its publishers do: its actions are "
        f"{DATASETS[key].action_numbers} numbers ({DATASETS[key].action}), those of the others "
        f"{usual}"
        for key in weights
        if key not in kept
    )
    return kept, notes
