# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Add episodes to a dataset: a new version whose old shards are the same files.

The old shards get new names (their number is in every name) by hard links, where the file system
has them; new episodes are in shards behind them. Statistics are computed over all episodes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from evla_ros.data.rlds.dataset_info import (
    BATCH_TEMPLATE,
    DatasetInfo,
    SplitInfo,
    parse_version,
    versions_of,
)
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.folder import (
    CONTENT_FILE,
    FolderExtras,
    WriteReport,
    digests_of,
    publish,
    write_beside,
)
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.shards import DEFAULT_SHARD_BYTES, ShardWriter
from evla_ros.data.rlds.splits import DEFAULT_VAL_FRACTION, TRAIN, VAL, split_position
from evla_ros.data.rlds.staging import StagedEpisode
from evla_ros.data.rlds.statistics import StatisticsCollector
from evla_ros.reading.text_files import read_json_object


def append(
    dataset: RldsDataset,
    root: Path,
    episodes: Sequence[StagedEpisode],
    extras: FolderExtras,
    statistics: StatisticsCollector,
) -> WriteReport:
    """Write the next version of a dataset, with more episodes.

    Args:
        dataset: Its newest version.
        root: The folder that holds its versions, where the next one is written.
        episodes: What is new, staged with the same features.
        extras: What is written beside the shards.
        statistics: Holds the numbers of the old episodes already; those of the new ones are added.

    Raises:
        DatasetError: Another process has written that version meanwhile.
    """
    features = dataset.features
    root.mkdir(parents=True, exist_ok=True)
    major, minor, _ = (versions_of(root) or [parse_version(dataset.path.name)])[-1]
    version = (major, minor + 1, 0)
    building = Path(tempfile.mkdtemp(prefix=".incomplete.", dir=root))
    try:
        writer = ShardWriter(building, dataset.name, features)
        writer.statistics = statistics
        splits: dict[str, SplitInfo] = {}
        for split, new in _assigned(dataset, episodes).items():
            splits[split] = _write_split(dataset, split, new, writer, building)
        result = statistics.result(extras.mask)
        known = read_json_object(dataset.path / CONTENT_FILE, DatasetError)
        before = str(known.get("records_sha256", ""))
        records = hashlib.sha256(f"{before}{writer.digest}".encode()).hexdigest()
        content = digests_of(features, records, splits, extras)
        info = DatasetInfo(dataset.name, version, splits, extras.description)
        write_beside(building, info, features, result, extras, content)
        building.chmod(0o755)
        target = root / ".".join(map(str, version))
        publish(building, target)
        counts = {name: split.episodes for name, split in splits.items()}
        return WriteReport(
            target, target.name, counts, int(result["num_transitions"]), unchanged=False
        )
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _assigned(
    dataset: RldsDataset, episodes: Sequence[StagedEpisode]
) -> Mapping[str, list[StagedEpisode]]:
    """Return the new episodes of each split, in hash order; old splits stay."""
    splits: dict[str, list[StagedEpisode]] = {name: [] for name in dataset.info.splits}
    ordered = sorted(episodes, key=lambda one: (split_position(one.episode_id), one.episode_id))
    for episode in ordered:
        held_out = split_position(episode.episode_id) < DEFAULT_VAL_FRACTION
        splits.setdefault(VAL if held_out else TRAIN, []).append(episode)
    return splits


def _write_split(
    dataset: RldsDataset,
    split: str,
    new: Sequence[StagedEpisode],
    writer: ShardWriter,
    folder: Path,
) -> SplitInfo:
    """Write the new shards of a split, and put the old ones before them."""
    old = dataset.info.splits.get(split, SplitInfo(split, (), 0))
    old_names = old.shard_names(dataset.info.name, dataset.info.file_format)
    fresh = SplitInfo(split, (), 0)
    if new:
        fresh = writer.write_split(split, new, DEFAULT_SHARD_BYTES)
    fresh_names = fresh.shard_names(dataset.name)
    joined = SplitInfo(
        split,
        (*old.shard_lengths, *fresh.shard_lengths),
        old.num_bytes + fresh.num_bytes,
        BATCH_TEMPLATE,
    )
    names = joined.shard_names(dataset.name)
    for before, after in reversed(
        list(zip(fresh_names, names[len(old_names) :], strict=True))
    ):  # from the last one on: no name is taken while it is still needed
        (folder / before).rename(folder / f"{after}.new")
    for before, after in zip(old_names, names, strict=False):
        _link(dataset.path / before, folder / after)
    for after in names[len(old_names) :]:
        (folder / f"{after}.new").rename(folder / after)
    return joined


def _link(source: Path, target: Path) -> None:
    with contextlib.suppress(OSError):
        os.link(source, target)
        return
    shutil.copyfile(source, target)
