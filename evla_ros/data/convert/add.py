# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Add new bags to a converted dataset: only they are read, the old shards are taken as they are."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evla_ros.data.camera_shapes import joined
from evla_ros.data.convert.bag_job import BagResult
from evla_ros.data.convert.bag_places import every_bag
from evla_ros.data.convert.bag_record import BAGS_FILE, BagRecord, BagRecordError, files_hash
from evla_ros.data.convert.engines import Engine, serial
from evla_ros.data.convert.extras import resolved
from evla_ros.data.convert.gates import check_gate_names
from evla_ros.data.convert.loss import MAX_LOSS
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.report import ConvertReport
from evla_ros.data.convert.run import (
    Progress,
    compare,
    convert_all,
    remove_others,
    staging_folder,
    with_dataset,
)
from evla_ros.data.edit.operations import numbers_of
from evla_ros.data.rlds.append import append
from evla_ros.data.rlds.folder import FolderExtras, WriteReport, WriteRules, write_folder
from evla_ros.data.rlds.reader import RldsDataset, is_dataset
from evla_ros.data.rlds.staging import StagedEpisode, staged_episodes
from evla_ros.data.rlds.writer import FAILURES
from evla_ros.embodiment import action_layout
from evla_ros.errors import EvlaError


def add(
    paths: Sequence[Path],
    out: Path,
    options: ConvertOptions,
    dataset: RldsDataset,
    *,
    engine: Engine = serial,
    progress: Progress | None = None,
    max_loss: float = MAX_LOSS,
) -> ConvertReport:
    """Write the next version of a dataset with the bags that it does not have yet.

    Args:
        paths: Bags, folders of them, or URIs; those that are in the dataset are passed over.
        out: The folder that holds datasets; the new version is `out/<name>/<version>`.
        options: How to convert: as the dataset was.
        dataset: Its newest version.
        engine: Where the bags are converted.
        progress: Called with (bags done, bags in all, latest result).
        max_loss: Share of a recording that may be lost without counting as a fault, 0 to 1.

    Raises:
        BagRecordError: The dataset does not know its bags, was converted otherwise, or has a bag of
            the same name with other files.
        EvlaError: Nothing new gave an episode.
    """
    started = time.perf_counter()
    check_gate_names(options.allow)
    bags = every_bag(paths)
    options = resolved(options, bags)
    record = BagRecord.read(dataset.path)
    record.joined(BagRecord(options.fingerprint()))
    new = _new(bags, record, dataset)
    splits, version = dataset.splits, dataset.path.name
    if not new:
        return ConvertReport(
            [], str(dataset.path), version, splits, unchanged=True, max_loss=max_loss,
            options_fingerprint=options.fingerprint(),
        )  # fmt: skip
    staging = staging_folder(out, f"{dataset.name}.add", options)
    results, resumed = convert_all(new, options, staging, engine, progress)
    results = [_again(one, record) for one in compare(results, options)]
    report = ConvertReport(results, resumed=resumed, max_loss=max_loss,
                           options_fingerprint=options.fingerprint())  # fmt: skip
    kept = report.with_status("kept")
    if not kept:
        raise EvlaError(f"none of {len(new)} new bags gave an episode:\n{report.text()}")
    remove_others(staging, kept)
    written = _write(out, dataset, staging, kept, record, options)
    report = replace(with_dataset(report, written), seconds=time.perf_counter() - started)
    report.write(out / f"{dataset.name}_conversion.json")
    shutil.rmtree(staging, ignore_errors=True)
    return report


def _new(bags: Sequence[Path], record: BagRecord, dataset: RldsDataset) -> list[Path]:
    """Return the bags that the dataset does not have."""
    found = []
    for bag in bags:
        known = record.bags.get(bag.name)
        if known is None:
            found.append(bag)
        elif known.files != files_hash(bag):
            raise BagRecordError(
                f"{bag} is not the bag {bag.name} that {dataset.path} was made of: its files "
                "differ; give the new one another name, or convert everything anew, without --add"
            )
    return found


def _again(result: BagResult, record: BagRecord) -> BagResult:
    """Drop a bag whose recording is in the dataset under another name."""
    known = record.recordings.get(result.message_hash)
    if result.status != "kept" or known is None:
        return result
    return replace(result, status="dropped", reason=f"the same recording as {known}", steps=0)


def _write(
    out: Path,
    dataset: RldsDataset,
    staging: Path,
    kept: Sequence[BagResult],
    record: BagRecord,
    options: ConvertOptions,
) -> WriteReport:
    episodes = staged_episodes(staging, dataset.features)
    good = [one for one in episodes if one.success]
    failed = [one for one in episodes if not one.success]
    record = record.joined(BagRecord.of(options.fingerprint(), kept))
    layout = action_layout(options.embodiment())
    sizes = joined([dataset.cameras, *(
        {n: (size,) for n, size in one.camera_sizes.items()} for one in kept)])  # fmt: skip
    extras = FolderExtras(
        dataset.embodiment_text, layout.normalization_mask, layout.names,
        dataset.info.description, layout.absolute_mask, sizes, {BAGS_FILE: record.text()},
    )  # fmt: skip
    failures = _failures(out, dataset, failed, extras) if failed else None
    if not good:
        raise EvlaError(
            f"all {len(failed)} new episodes are failures; they were added to "
            f"{dataset.name}{FAILURES}"
        )
    report = append(dataset, out / dataset.name, good, extras, numbers_of(dataset))
    return replace(report, failures=failures)


def _failures(
    out: Path, dataset: RldsDataset, failed: Sequence[StagedEpisode], extras: FolderExtras
) -> WriteReport:
    """Add to the dataset of failures, or make it."""
    name = dataset.name + FAILURES
    beside = dataset.path.parent.with_name(name)
    if is_dataset(beside):
        old = RldsDataset.open(beside)
        return append(old, out / name, failed, extras, numbers_of(old))
    return write_folder(out, name, dataset.features, failed, extras, WriteRules())
