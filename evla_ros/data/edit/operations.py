# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Merge, split, drop and re-label: each chooses records and lets `copy_records` write them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evla_ros.data.camera_shapes import other_aspects
from evla_ros.data.edit.copy import Change, Chosen, copy_records, every_record
from evla_ros.data.rlds.episode_decode import decode_numbers, step_count
from evla_ros.data.rlds.episode_encode import STEPS
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.example_proto import Values, scan_example
from evla_ros.data.rlds.features import ACTION, INSTRUCTION, STATE
from evla_ros.data.rlds.folder import WriteReport, WriteRules
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.splits import TRAIN, VAL, share_splits
from evla_ros.data.rlds.statistics import StatisticsCollector
from evla_ros.data.rlds.writer import FAILURES
from evla_ros.embodiment import differences, parse_embodiment


def merge(
    datasets: Sequence[RldsDataset],
    root: Path,
    name: str,
    version: str | None = None,
    *,
    any_shape: bool = False,
) -> WriteReport:
    """Put several datasets of one robot together; an episode of `val` stays in `val`.

    Args:
        datasets: What to merge.
        root: The folder that holds datasets.
        name: Name of the new dataset.
        version: Its version; None takes the next free one.
        any_shape: Merge cameras of different aspect ratios, which makes one of them look stretched.

    Raises:
        DatasetError: Features, embodiments or the cameras' aspect ratios differ, or episodes have
            the same name.
    """
    same_embodiment(datasets)
    if not any_shape:
        _same_aspects(datasets)
    keep = all(VAL in dataset.splits for dataset in datasets)
    chosen = [record for d in datasets for record in every_record(d, keep_splits=keep)]
    seen: dict[str, str] = {}
    for record in chosen:
        other = seen.setdefault(record.episode_id, record.dataset.name)
        if other != record.dataset.name:
            raise DatasetError(
                f"episode {record.episode_id!r} is in both {other} and {record.dataset.name}; "
                "drop it from one with `evla dataset edit --drop`"
            )
    return copy_records(chosen, root, name, WriteRules(version))


def split(
    dataset: RldsDataset,
    root: Path,
    name: str,
    val_fraction: float,
    version: str | None = None,
    *,
    failures: bool = False,
) -> tuple[WriteReport, WriteReport | None]:
    """Copy a dataset with `train` and `val` assigned anew, in exact shares.

    Args:
        dataset: What to copy.
        root: The folder that holds datasets.
        name: Name of the copy.
        val_fraction: Share of the episodes in `val`, 0 to 1.
        version: Version of the copy; None takes the next free one.
        failures: Write failed episodes to a dataset `<name>_failures` instead.

    Returns:
        What was written as `name`, and as `<name>_failures` if anything was.

    Raises:
        DatasetError: No episode is left, or a record is damaged.
    """
    kept: list[Chosen] = []
    failed: list[Chosen] = []
    for record in every_record(dataset, keep_splits=False):
        (failed if failures and not record.success else kept).append(record)
    rules = WriteRules(version, val_fraction)
    report = copy_records(_in_shares(kept, val_fraction), root, name, rules)
    if not failed:
        return report, None
    return report, copy_records(_in_shares(failed, val_fraction), root, name + FAILURES, rules)


def _in_shares(records: Sequence[Chosen], val_fraction: float) -> list[Chosen]:
    named = [(record.episode_id, record) for record in records]
    held_out = set(share_splits((name for name, _ in named), val_fraction).get(VAL, ()))
    return [
        dataclasses.replace(r, to_split=VAL if name in held_out else TRAIN) for name, r in named
    ]


def edit(
    dataset: RldsDataset,
    root: Path,
    name: str,
    version: str | None = None,
    *,
    drop: Sequence[str] = (),
    instruction: str | None = None,
    replace: Mapping[str, str] | None = None,
) -> WriteReport:
    """Copy a dataset without some episodes, or with other instructions.

    Args:
        dataset: What to copy.
        root: The folder that holds datasets.
        name: Name of the copy.
        version: Version of the copy; None takes the next free one.
        drop: Episodes to leave out, as `episode_id` or `split/index`.
        instruction: Replaces every instruction; None keeps them.
        replace: Old instruction -> new one.

    Raises:
        DatasetError: An episode or an instruction to change is not there.
    """
    chosen, found = [], set()
    for record in every_record(dataset):
        matches = {record.episode_id, record.position} & set(drop)
        found |= matches
        if not matches:
            chosen.append(record)
    missing = [word for word in drop if word not in found]
    if missing:
        raise DatasetError(
            f"dataset {dataset.name!r} has no episode {missing[0]!r}; `evla inspect` lists them"
        )
    left = {record.to_split for record in chosen}
    if len(chosen) > 1 and left != {name for name, count in dataset.splits.items() if count}:
        chosen = [dataclasses.replace(r, to_split=None) for r in chosen]  # one lost its last
    if replace:
        _texts_exist(chosen, replace)
    return copy_records(chosen, root, name, WriteRules(version), _relabel(instruction, replace))


def numbers_of(dataset: RldsDataset) -> StatisticsCollector:
    """Return the actions and proprioception of every episode, for statistics.

    Raises:
        DatasetError: The dataset has no action.
    """
    steps = dataset.features.steps
    if ACTION not in steps:
        raise DatasetError(f"dataset {dataset.name!r} has no flat `action`; no statistics")
    collector = StatisticsCollector()
    for record in every_record(dataset):
        spans = scan_example(dataset.record(record.split, record.index))
        length = step_count(spans, dataset.features)
        columns = [
            decode_numbers(spans[STEPS + key], steps[key], length, key).reshape(length, -1)
            for key in (ACTION, STATE)
            if key in steps
        ]
        collector.add(columns[0], columns[1] if len(columns) > 1 else None)
    return collector


def statistics_of(dataset: RldsDataset) -> dict[str, Any]:
    """Compute the statistics of a dataset anew, over all splits together.

    Returns:
        An entry of `dataset_statistics.json`.

    Raises:
        DatasetError: The dataset has no action, or a number is not finite.
    """
    collector = numbers_of(dataset)
    stored = dataset.statistics
    mask = stored["action"].get("mask") if stored is not None else None
    return collector.result(mask)


def same_embodiment(datasets: Sequence[RldsDataset]) -> None:
    """Refuse datasets of different robots, or none; names the fields that differ."""
    if not datasets:
        raise DatasetError("merge needs at least one dataset")
    first = datasets[0]
    for other in datasets[1:]:
        if bool(first.embodiment_text) != bool(other.embodiment_text):
            raise DatasetError(
                f"only one of {first.name} and {other.name} says which robot it is from; put the "
                "embodiment.yaml beside the other"
            )
        if not first.embodiment_text or first.embodiment_text == other.embodiment_text:
            continue
        ours = parse_embodiment(first.embodiment_text, source=str(first.path))
        theirs = parse_embodiment(other.embodiment_text, source=str(other.path))
        if ours.content_hash != theirs.content_hash:
            raise DatasetError(
                f"{first.name} and {other.name} are from different embodiments: "
                f"{'; '.join(map(str, list(differences(ours, theirs))[:3]))}"
            )


def _same_aspects(datasets: Sequence[RldsDataset]) -> None:
    first = datasets[0]
    for other in datasets[1:]:
        odd = other_aspects(other.cameras, first.cameras, other.name, first.name)
        if odd:
            raise DatasetError(
                f"{'; '.join(odd)}: both are stored at one size, so that one looks stretched; "
                "record with one camera setting, or merge them all the same with --any-shape"
            )


def _texts_exist(chosen: Sequence[Chosen], replace: Mapping[str, str]) -> None:
    texts = {
        text
        for record in chosen
        for text in set(record.dataset.episode(record.split, record.index).instructions)
    }
    for old in replace:
        if old not in texts:
            raise DatasetError(
                f"no episode has the instruction {old!r}; there are: "
                + "; ".join(sorted(texts)[:5])
            )


def _relabel(instruction: str | None, replace: Mapping[str, str] | None) -> Change | None:
    if instruction is None and not replace:
        return None
    table = {old.encode(): new.encode() for old, new in (replace or {}).items()}

    def change(columns: dict[str, Values]) -> None:
        key = STEPS + INSTRUCTION
        if key not in columns:
            raise DatasetError(f"the records have no {INSTRUCTION!r} to change")
        texts = [bytes(text) for text in columns[key]]
        columns[key] = [
            instruction.encode() if instruction is not None else table.get(text, text)
            for text in texts
        ]

    return change
