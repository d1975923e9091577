# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writes chosen records of existing datasets as a new dataset, byte for byte unless changed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evla_ros.data.camera_shapes import joined
from evla_ros.data.rlds.dataset_info import check_name
from evla_ros.data.rlds.episode_decode import decode_metadata
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.example_proto import (
    BYTES,
    FLOATS,
    FeatureSpan,
    Values,
    encode_example,
    scan_example,
)
from evla_ros.data.rlds.features import DatasetFeatures
from evla_ros.data.rlds.folder import FolderExtras, WriteReport, WriteRules, write_folder
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.staging import StagedEpisode, stage_payload
from evla_ros.embodiment import action_layout, parse_embodiment

Change = Callable[[dict[str, Values]], None]


@dataclass(frozen=True)
class Chosen:
    """One record to copy, and the split it goes to (None: by the hash rule)."""

    dataset: RldsDataset
    split: str
    index: int
    to_split: str | None

    @property
    def position(self) -> str:
        """`split/index` in its dataset."""
        return f"{self.split}/{self.index}"

    @property
    def episode_id(self) -> str:
        """The record's `episode_id` when that is a text, else name and position."""
        spans = scan_example(self.dataset.record(self.split, self.index))
        name = decode_metadata(spans, self.dataset.features).get("episode_id")
        return name if isinstance(name, str) and name else f"{self.dataset.name}/{self.position}"

    @property
    def success(self) -> bool:
        """What the record says; True when it does not."""
        spans = scan_example(self.dataset.record(self.split, self.index))
        return bool(decode_metadata(spans, self.dataset.features).get("success", True))


def every_record(dataset: RldsDataset, *, keep_splits: bool = True) -> list[Chosen]:
    """Return all records of a dataset in the order on disk.

    Args:
        dataset: The dataset.
        keep_splits: Whether each record stays in its split, or gets one by the hash of its id.
    """
    return [
        Chosen(dataset, split, index, split if keep_splits else None)
        for split, count in dataset.splits.items()
        for index in range(count)
    ]


def copy_records(
    chosen: Sequence[Chosen],
    root: Path,
    name: str,
    rules: WriteRules | None = None,
    change: Change | None = None,
    files: Mapping[str, str] | None = None,
) -> WriteReport:
    """Write records of existing datasets as a new dataset `<root>/<name>/<version>`.

    Statistics, README and registration lines are made anew.

    Args:
        chosen: The records, in the order in which they are written.
        root: The folder that holds datasets.
        name: Name of the new dataset, lower_snake_case.
        rules: Its version, splits and shards; None takes the usual ones.
        change: Alters the columns of each record; None copies the bytes.
        files: Further files beside the shards, by name.

    Returns:
        What was written, and where.

    Raises:
        DatasetError: There are no records, their features differ, or two have the same id.
    """
    check_name(name)
    if not chosen:
        raise DatasetError(f"nothing is left to write as dataset {name!r}")
    features = same_features({record.dataset.path: record.dataset for record in chosen}.values())
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}.copy.", dir=root) as folder:
        staged = [_stage(Path(folder), record, change) for record in chosen]
        rules = rules or WriteRules()
        assignment = _assignment(chosen, staged)
        rules = WriteRules(rules.version, rules.val_fraction, rules.shard_bytes, assignment)
        datasets = {record.dataset.path: record.dataset for record in chosen}
        cameras = joined(dataset.cameras for dataset in datasets.values())
        extras = replace(_extras(chosen[0].dataset, features), cameras=cameras, files=files or {})
        return write_folder(root, name, features, staged, extras, rules)


def same_features(datasets: Iterable[RldsDataset]) -> DatasetFeatures:
    """Return the features that all datasets have.

    Args:
        datasets: At least one.

    Raises:
        DatasetError: They differ; names the first feature that does.
    """
    first, *others = list(datasets)
    for other in others:
        for kind, ours, theirs in (
            ("step", first.features.steps, other.features.steps),
            ("metadata", first.features.metadata, other.features.metadata),
        ):
            for key in sorted(set(ours) | set(theirs)):
                a, b = ours.get(key), theirs.get(key)
                if (
                    a is None
                    or b is None
                    or (a.kind, a.shape, a.dtype, a.encoding)
                    != ((b.kind, b.shape, b.dtype, b.encoding))
                ):
                    raise DatasetError(
                        f"{first.name} and {other.name} cannot be one dataset: {kind} feature "
                        f"{key!r} is {_say(a)} in one and {_say(b)} in the other"
                    )
    return first.features


def _say(feature: object) -> str:
    if feature is None:
        return "absent"
    return f"{getattr(feature, 'dtype', '')} {list(getattr(feature, 'shape', ()))}"


def _stage(folder: Path, record: Chosen, change: Change | None) -> StagedEpisode:
    payload = bytes(record.dataset.record(record.split, record.index))
    if change is not None:
        columns = {key: _values(span) for key, span in scan_example(memoryview(payload)).items()}
        change(columns)
        payload = encode_example(columns)
    name = record.episode_id
    path = stage_payload(folder, name, [payload])
    return StagedEpisode(name, record.success, path, len(payload))


def _values(span: FeatureSpan) -> Values:
    if span.kind == BYTES:
        return [bytes(part) for part in span.bytes_list()]
    if span.kind == FLOATS:
        return span.floats()
    return span.ints() if span.kind else np.zeros(0, dtype=np.int64)


def _assignment(
    chosen: Sequence[Chosen], staged: Sequence[StagedEpisode]
) -> dict[str, list[str]] | None:
    if any(record.to_split is None for record in chosen):
        return None
    assignment: dict[str, list[str]] = {}
    for record, episode in zip(chosen, staged, strict=True):
        assignment.setdefault(str(record.to_split), []).append(episode.episode_id)
    return dict(sorted(assignment.items()))


def _extras(dataset: RldsDataset, features: DatasetFeatures) -> FolderExtras:
    return extras_of(dataset.embodiment_text, features, dataset.info.description, str(dataset.path))


def extras_of(text: str, features: DatasetFeatures, description: str, source: str) -> FolderExtras:
    """Return what is written beside the shards of a robot's dataset.

    Args:
        text: The embodiment file; may be empty.
        features: What the episodes hold.
        description: For people.
        source: Where the embodiment file is from, for messages.
    """
    names: tuple[str, ...] = ()
    mask: tuple[bool, ...] | None = None
    absolute: tuple[bool, ...] | None = None
    if text:
        layout = action_layout(parse_embodiment(text, source=source))
        if layout.size == features.action_dim:
            names, mask = layout.names, layout.normalization_mask
            absolute = layout.absolute_mask
    return FolderExtras(text, mask, names, description, absolute)
