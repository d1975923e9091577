# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Merge, split, drop and re-label: each chooses records and lets `copy_records` write them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
    datasets: Sequence[RldsDataset], root: Path, name: str, version: str | None = None
) -> WriteReport:
    """Put several datasets of one robot together; an episode of `val` stays in `val`.

    Raises DatasetError when features or embodiments differ, or episodes have the same name.
    """
    _same_embodiment(datasets)
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
    """Assign `train` and `val` anew, in exact shares; with `failures`, move failed episodes out.

    Returns the report of the dataset and of `<name>_failures`, if there is one.
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
    """Copy without the episodes in `drop` (ids or `split/index`), with other instructions.

    `instruction` is set everywhere; `replace` maps old texts to new ones. Raises DatasetError for
    an episode or a text that is not there.
    """
    chosen, found = [], set()
    for record in every_record(dataset):
        matches = {record.episode_id, record.place} & set(drop)
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


def statistics_of(dataset: RldsDataset) -> dict[str, Any]:
    """Compute the statistics anew, over all splits."""
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
    stored = dataset.statistics
    mask = stored["action"].get("mask") if stored is not None else None
    return collector.result(mask)


def _same_embodiment(datasets: Sequence[RldsDataset]) -> None:
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
