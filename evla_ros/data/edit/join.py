# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Join the shares of one conversion: the dataset that a single conversion would have written."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path
from typing import NamedTuple

from evla_ros.data.convert.bag_record import BAGS_FILE, BagRecord
from evla_ros.data.edit.copy import Chosen, copy_records, every_record
from evla_ros.data.edit.operations import same_embodiment
from evla_ros.data.rlds.episode_decode import decode_metadata
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.example_proto import scan_example
from evla_ros.data.rlds.folder import WriteReport, WriteRules
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.writer import FAILURES


class Joined(NamedTuple):
    """What was written, and which recordings were there twice."""

    report: WriteReport
    failures: WriteReport | None
    notes: list[str]


def join(
    datasets: Sequence[RldsDataset], root: Path, name: str, version: str | None = None
) -> Joined:
    """Write the episodes of all shares, `train` and `val` by the hash of their names.

    A recording that is in two shares is taken once. Failures go to `<name>_failures`, also those
    of shares' own datasets of failures.

    Args:
        datasets: The shares, of one robot and converted alike.
        root: The folder that holds datasets.
        name: Name of the new dataset.
        version: Its version; None takes the next free one.

    Raises:
        DatasetError: The shares differ in their features, or there is no episode.
    """
    same_embodiment(datasets)
    kept: list[Chosen] = []
    failed: list[Chosen] = []
    left_out: dict[str, str] = {}
    seen: dict[str, str] = {}
    found = [one for dataset in datasets for one in every_record(dataset, keep_splits=False)]
    for record in sorted(found, key=lambda one: one.episode_id):
        bag, recording = _origin(record)
        first = seen.setdefault(recording, bag) if recording else bag
        if first != bag:
            left_out[bag] = f"{bag} is left out: the same recording as {first}"
            continue
        (kept if record.success else failed).append(record)
    if not kept:
        raise DatasetError(f"none of {len(found)} episodes is a success; nothing was written")
    files = {BAGS_FILE: _record(datasets, left_out).text()}
    report = copy_records(kept, root, name, WriteRules(version), files=files)
    if not failed:
        return Joined(report, None, list(left_out.values()))
    failures = copy_records(failed, root, name + FAILURES, WriteRules(version), files=files)
    return Joined(report, failures, list(left_out.values()))


def _record(datasets: Sequence[RldsDataset], left_out: Container[str]) -> BagRecord:
    """Return the bags of all shares.

    Raises:
        DatasetError: One is no share of a conversion.
        BagRecordError: They were converted differently.
    """
    record: BagRecord | None = None
    for dataset in datasets:
        if not (dataset.path / BAGS_FILE).is_file():
            raise DatasetError(
                f"{dataset.path} is no share of a conversion: it has no {BAGS_FILE}; merge without "
                "--as-one"
            )
        own = BagRecord.read(dataset.path)
        record = own if record is None else record.joined(own)
    if record is None:
        raise DatasetError("merge needs at least one dataset")
    kept = {name: bag for name, bag in record.bags.items() if name not in left_out}
    return BagRecord(record.options, kept)


def _origin(record: Chosen) -> tuple[str, str]:
    """Return the bag of an episode, and the hash of what was recorded; empty where unknown."""
    spans = scan_example(record.dataset.record(record.split, record.index))
    metadata = decode_metadata(spans, record.dataset.features)
    return str(metadata.get("bag", "")), str(metadata.get("bag_hash", ""))
