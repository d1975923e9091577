# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write one version of a dataset, aside first and then renamed into place."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evla_ros.data.camera_shapes import CAMERAS_FILE, Shapes, shapes_text
from evla_ros.data.rlds.dataset_info import (
    FEATURES_FILE,
    INFO_FILE,
    DatasetInfo,
    SplitInfo,
    format_version,
    info_to_json,
    parse_version,
    versions_of,
)
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.features import ACTION, DatasetFeatures
from evla_ros.data.rlds.features_json import to_json
from evla_ros.data.rlds.oxe_snippets import SNIPPET_FILE, oxe_snippets
from evla_ros.data.rlds.readme import dataset_readme
from evla_ros.data.rlds.shards import DEFAULT_SHARD_BYTES, ShardWriter
from evla_ros.data.rlds.splits import DEFAULT_VAL_FRACTION, assign_splits
from evla_ros.data.rlds.staging import StagedEpisode
from evla_ros.data.rlds.statistics import STATISTICS_FILE, statistics_to_json
from evla_ros.reading.text_files import read_json_object

CONTENT_FILE = "content.json"
EMBODIMENT_FILE = "embodiment.yaml"
Version = tuple[int, int, int]


@dataclass(frozen=True)
class WriteReport:
    """What was written; `unchanged` is True when an equal version existed already."""

    path: Path
    version: str
    splits: Mapping[str, int]
    steps: int
    unchanged: bool
    failures: WriteReport | None = None


@dataclass(frozen=True)
class FolderExtras:
    """What is written beside the shards: embodiment YAML, action masks and names, description.

    absolute: which action numbers say what is, not what changes; None where that is not known.
    cameras: the sizes in which each camera was recorded, where they are known.
    files: further files by name.
    """

    embodiment_text: str = ""
    mask: Sequence[bool] | None = None
    action_names: Sequence[str] = ()
    description: str = ""
    absolute: Sequence[bool] | None = None
    cameras: Shapes = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WriteRules:
    """How to version, split and shard a dataset.

    `assignment` (split -> episode ids in order) replaces the assignment by hash.
    """

    version: str | None = None
    val_fraction: float = DEFAULT_VAL_FRACTION
    shard_bytes: int = DEFAULT_SHARD_BYTES
    assignment: Mapping[str, Sequence[str]] | None = None

    def splits(self, episode_ids: Iterable[str]) -> Mapping[str, Sequence[str]]:
        """Return split -> episode ids in the order on disk."""
        return self.assignment or assign_splits(episode_ids, self.val_fraction)


def write_folder(
    root: Path,
    name: str,
    features: DatasetFeatures,
    episodes: Sequence[StagedEpisode],
    extras: FolderExtras,
    rules: WriteRules,
) -> WriteReport:
    """Write `<root>/<name>/<version>`, unless the newest version already has equal content.

    Args:
        root: The folder that holds datasets.
        name: Name of the dataset.
        features: What the episodes hold.
        episodes: The staged episodes.
        extras: What to write beside the shards.
        rules: How to version, split and shard.

    Raises:
        DatasetError: `rules.version` exists with other content.
    """
    parent = root / name
    parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".incomplete.", dir=parent))
    try:
        by_id = {episode.episode_id: episode for episode in episodes}
        if len(by_id) != len(episodes):
            raise DatasetError("two episodes have the same episode_id; it must be unique")
        writer = ShardWriter(building, name, features)
        splits = {
            split: writer.write_split(split, [by_id[key] for key in ids], rules.shard_bytes)
            for split, ids in rules.splits(by_id).items()
        }
        statistics = writer.statistics.result(extras.mask) if ACTION in features.steps else None
        content = digests_of(features, writer.digest, splits, extras)
        chosen, unchanged = _choose_version(parent, rules.version, content)
        steps = int(statistics["num_transitions"]) if statistics else 0
        counts = {split: info.episodes for split, info in splits.items()}
        target = parent / format_version(chosen)
        report = WriteReport(target, target.name, counts, steps, unchanged)
        if not report.unchanged:
            info = DatasetInfo(name, chosen, splits, extras.description)
            write_beside(building, info, features, statistics, extras, content)
            building.chmod(0o755)
            publish(building, target)
        return report
    finally:
        shutil.rmtree(building, ignore_errors=True)


def publish(building: Path, target: Path) -> None:
    """Give a finished folder its name; raises DatasetError when that is taken meanwhile."""
    try:
        building.rename(target)
    except OSError as error:
        if not target.exists():
            raise
        raise DatasetError(
            f"{target} was written by another process meanwhile; run again for the next version"
        ) from error


def digests_of(
    features: DatasetFeatures, records: str, splits: Mapping[str, SplitInfo], extras: FolderExtras
) -> dict[str, str]:
    """Return what `content.json` holds: what decides whether a version is new."""
    shape = json.dumps([[split, info.shard_lengths] for split, info in splits.items()])
    return {
        "features_sha256": hashlib.sha256(to_json(features).encode()).hexdigest(),
        "records_sha256": hashlib.sha256(f"{records}{shape}".encode()).hexdigest(),
        "embodiment_sha256": hashlib.sha256(extras.embodiment_text.encode()).hexdigest(),
    }


def _choose_version(
    parent: Path, requested: str | None, content: dict[str, str]
) -> tuple[Version, bool]:
    """Return the version to write, and True when it already exists with this content."""
    existing = versions_of(parent)
    if existing:
        newest = parent / format_version(existing[-1]) / CONTENT_FILE
        known = read_json_object(newest, DatasetError) if newest.is_file() else {}
        same = known == content
        if same and requested in (None, newest.parent.name):
            return existing[-1], True
    if requested is not None:
        version = parse_version(requested)
        if version in existing:
            raise DatasetError(
                f"{parent / requested} exists with other content and is never overwritten; leave "
                "the version out for the next free one"
            )
        return version, False
    if not existing:
        return (1, 0, 0), False
    major, minor, _ = existing[-1]
    same_features = known.get("features_sha256") == content["features_sha256"]
    return ((major, minor + 1, 0) if same_features else (major + 1, 0, 0)), False


def write_beside(
    folder: Path,
    info: DatasetInfo,
    features: DatasetFeatures,
    statistics: dict[str, Any] | None,
    extras: FolderExtras,
    content: dict[str, str],
) -> None:
    """Write everything of a version but its shards."""
    files = {
        INFO_FILE: info_to_json(info),
        FEATURES_FILE: to_json(features),
        CONTENT_FILE: json.dumps(content, indent=2, sort_keys=True) + "\n",
        "README.md": dataset_readme(info, features, statistics, extras.action_names),
    }
    if statistics is not None:
        files[STATISTICS_FILE] = statistics_to_json(info.name, statistics)
        mask, absolute = statistics["action"]["mask"], extras.absolute
        files[SNIPPET_FILE] = oxe_snippets(info.name, features, mask, absolute)
    if extras.embodiment_text:
        files[EMBODIMENT_FILE] = extras.embodiment_text
    if extras.cameras:
        files[CAMERAS_FILE] = shapes_text(extras.cameras)
    for file_name, text in {**files, **extras.files}.items():
        (folder / file_name).write_text(text, encoding="utf-8")
