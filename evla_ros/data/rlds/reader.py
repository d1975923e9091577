# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random access to any RLDS dataset in the TFDS layout (TFRecord), without TensorFlow.

`RldsDataset.open(path)`, then `.splits`, `.episode(split, i)`, `.episodes(split)`,
`.step_index(split)` for shuffled step sampling. Nothing is decoded before it is looked at.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from evla_ros.data.camera_shapes import Shapes, read_shapes
from evla_ros.data.episode import Episode
from evla_ros.data.remote.copies import kept_copy
from evla_ros.data.remote.uri import local_path, uri_of
from evla_ros.data.rlds.dataset_info import (
    FEATURES_FILE,
    INFO_FILE,
    DatasetInfo,
    format_version,
    info_from_json,
    versions_of,
)
from evla_ros.data.rlds.episode_decode import decode_episode, step_count
from evla_ros.data.rlds.errors import CorruptRecordError, DatasetError
from evla_ros.data.rlds.example_proto import scan_example
from evla_ros.data.rlds.features import DatasetFeatures
from evla_ros.data.rlds.features_json import from_json
from evla_ros.data.rlds.shard_files import ShardFiles
from evla_ros.data.rlds.statistics import STATISTICS_FILE, statistics_from_json
from evla_ros.data.rlds.step_index import StepIndex
from evla_ros.errors import nearest, shorten, shown
from evla_ros.reading.limits import JSON_BYTES, YAML_BYTES
from evla_ros.reading.text_files import exists, is_file, read_text

EMBODIMENT_FILE = "embodiment.yaml"


CACHED_EPISODES = 512  # only their parsed heads; pictures stay in the files


class RldsDataset:
    """One version of a dataset: `path`, `info`, `features` and its episodes.

    When it is pickled, only the path travels and the dataset is opened again, so that data loader
    workers can use it.
    """

    def __init__(
        self,
        path: Path,
        info: DatasetInfo,
        features: DatasetFeatures,
        cached_episodes: int = CACHED_EPISODES,
        *,
        columns: frozenset[str] | None = None,
        verify: bool = True,
    ) -> None:
        self.path, self.info, self.features = path, info, _narrowed(features, columns)
        self._opened = (path, cached_episodes, columns, verify)
        self._shards: Mapping[str, ShardFiles] = {
            split.name: ShardFiles(
                [path / name for name in split.shard_names(info.name, info.file_format)],
                split.shard_lengths,
                verify=verify,
            )
            for split in info.splits.values()
        }
        self._cached_episodes = cached_episodes
        self._recent: OrderedDict[tuple[str, int], Episode] = OrderedDict()

    @staticmethod
    def open(
        path: str | Path,
        cached_episodes: int = CACHED_EPISODES,
        columns: frozenset[str] | None = None,
        verify: bool = True,
    ) -> RldsDataset:
        """Open a version folder, or a dataset folder (its newest version), or the URI of one.

        Args:
            path: The folder.
            cached_episodes: How many parsed episodes are kept.
            columns: The step columns to read, by flat name; None reads all.
            verify: Whether the checksum of a record is compared when it is first read, which reads
                all of it.

        Raises:
            DatasetError: There is no dataset, or one of its two JSON files is damaged.
        """
        folder = find_version(path_here(path))
        info = info_from_json(_read(folder / INFO_FILE), shown(folder / INFO_FILE))
        features = from_json(_read(folder / FEATURES_FILE), shown(folder / FEATURES_FILE))
        return RldsDataset(folder, info, features, cached_episodes, columns=columns, verify=verify)

    def __reduce__(self) -> tuple[Callable[..., RldsDataset], tuple[Any, ...]]:
        return RldsDataset.open, self._opened

    def reading(self, columns: Collection[str] | None, *, verify: bool = True) -> RldsDataset:
        """Return the same dataset, of which only these step columns are read."""
        path, cached, _, _ = self._opened
        chosen = None if columns is None else frozenset(columns)
        return RldsDataset.open(path, cached, chosen, verify)

    @property
    def name(self) -> str:
        """The dataset's name, which is also the key of its statistics."""
        return self.info.name

    @property
    def splits(self) -> dict[str, int]:
        """Episodes per split."""
        return {name: len(shards) for name, shards in self._shards.items()}

    def record(self, split: str, index: int) -> memoryview:
        """Return the serialized Example of an episode, with its checksum verified."""
        return self._split(split)[index]

    def episode(self, split: str, index: int) -> Episode:
        """Return episode `index` of a split; `Episode.image` decodes its images.

        Raises:
            CorruptRecordError: The bytes are damaged; names the file and the record.
        """
        key = (split, index)
        episode = self._recent.get(key)
        if episode is not None:
            self._recent.move_to_end(key)
            return episode
        shards = self._split(split)
        try:
            episode = decode_episode(shards[index], self.features)
        except CorruptRecordError as error:
            raise _located(error, shards.location(index)) from error
        self._recent[key] = episode
        if len(self._recent) > self._cached_episodes:
            self._recent.popitem(last=False)
        return episode

    def episodes(self, split: str) -> Iterator[Episode]:
        """Iterate over a split in the order on disk."""
        return (self.episode(split, index) for index in range(len(self._split(split))))

    def lengths(self, split: str) -> list[int]:
        """Return the number of steps of every episode; only the heads of the records are read."""
        shards = self._split(split)
        found = []
        for index in range(len(shards)):
            try:
                found.append(step_count(scan_example(shards[index]), self.features))
            except CorruptRecordError as error:
                raise _located(error, shards.location(index)) from error
        return found

    def step_index(self, split: str) -> StepIndex:
        """Return the index of all steps of a split, for counting and for shuffled sampling."""
        return StepIndex.from_lengths(self.lengths(split))

    @functools.cached_property
    def embodiment_text(self) -> str:
        """The embodiment YAML beside the shards, or an empty string."""
        path = self.path / EMBODIMENT_FILE
        return read_text(path, YAML_BYTES, DatasetError) if path.is_file() else ""

    @functools.cached_property
    def cameras(self) -> Shapes:
        """The sizes in which each camera was recorded; empty where nobody has kept them."""
        return read_shapes(self.path)

    @functools.cached_property
    def statistics(self) -> dict[str, Any] | None:
        """The entry of `dataset_statistics.json`, or None when there is no such file."""
        path = self.path / STATISTICS_FILE
        if not path.is_file():
            return None
        entries = statistics_from_json(_read(path), shown(path))
        if self.name not in entries:
            raise DatasetError(f"{path} has no entry {self.name!r}; {nearest(self.name, entries)}")
        return entries[self.name]

    def _split(self, split: str) -> ShardFiles:
        try:
            return self._shards[split]
        except KeyError as error:
            raise DatasetError(
                f"dataset {self.name!r} has no split {split!r}; {nearest(split, self._shards)}"
            ) from error


def path_here(path: str | Path) -> Path:
    """Return a dataset's path on this machine: a kept copy where the path is a URI."""
    uri = uri_of(path)
    return local_path(path) if uri is None else kept_copy(uri)


def find_version(path: Path) -> Path:
    """Return the version folder: `path` itself, or the highest version below it."""
    if is_file(path / INFO_FILE):
        return path
    versions = versions_of(path)
    if versions:
        return path / format_version(versions[-1])
    if not exists(path):
        raise DatasetError(f"there is no folder {shorten(str(path), 300)}")
    below = sorted(p.name for p in path.iterdir() if versions_of(p)) if path.is_dir() else []
    hint = f"; datasets below it: {', '.join(below)}" if below else ""
    raise DatasetError(
        f"{path} is no RLDS dataset: it has no {INFO_FILE} and no version folder{hint}"
    )


def is_dataset(path: Path) -> bool:
    """Return whether `RldsDataset.open` would find a dataset here."""
    return is_file(path / INFO_FILE) or bool(versions_of(path))


def _narrowed(features: DatasetFeatures, columns: frozenset[str] | None) -> DatasetFeatures:
    if columns is None:
        return features
    steps = {name: feature for name, feature in features.steps.items() if name in columns}
    return replace(features, steps=steps)


def _read(path: Path) -> str:
    return read_text(path, JSON_BYTES, DatasetError)


def _located(error: CorruptRecordError, where: str) -> CorruptRecordError:
    return CorruptRecordError(f"{where}: {error}")
