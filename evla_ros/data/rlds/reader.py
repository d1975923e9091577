# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random access to any RLDS dataset in the TFDS layout (TFRecord), without TensorFlow.

`RldsDataset.open(path)`, then `.splits`, `.episode(split, i)`, `.episodes(split)`,
`.step_index(split)` for shuffled step sampling. Nothing is decoded before it is looked at.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from evla_ros.data.episode import Episode
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
from evla_ros.errors import nearest

EMBODIMENT_FILE = "embodiment.yaml"


CACHED_EPISODES = 512  # parsed heads, a few tens of kB each; pictures stay in the files


class RldsDataset:
    """One version of a dataset: `path`, `info`, `features` and its episodes.

    Sent to another process it is opened there again, so that data loader workers can have it.
    """

    def __init__(
        self,
        path: Path,
        info: DatasetInfo,
        features: DatasetFeatures,
        cached_episodes: int = CACHED_EPISODES,
    ) -> None:
        self.path, self.info, self.features = path, info, features
        self._shards: Mapping[str, ShardFiles] = {
            split.name: ShardFiles(
                [path / name for name in split.shard_names(info.name, info.file_format)],
                split.shard_lengths,
            )
            for split in info.splits.values()
        }
        self._cached_episodes = cached_episodes
        self._recent: OrderedDict[tuple[str, int], Episode] = OrderedDict()

    @staticmethod
    def open(path: str | Path, cached_episodes: int = CACHED_EPISODES) -> RldsDataset:
        """Open a version folder, or a dataset folder (its newest version).

        Raises DatasetError when there is no dataset or its two JSON files are damaged.
        """
        folder = find_version(Path(path))
        info = info_from_json(_read(folder / INFO_FILE), str(folder / INFO_FILE))
        features = from_json(_read(folder / FEATURES_FILE), str(folder / FEATURES_FILE))
        return RldsDataset(folder, info, features, cached_episodes)

    def __reduce__(self) -> tuple[Callable[..., RldsDataset], tuple[Path, int]]:
        return RldsDataset.open, (self.path, self._cached_episodes)

    @property
    def name(self) -> str:
        """The dataset's name, which is also the key of its statistics."""
        return self.info.name

    @property
    def splits(self) -> dict[str, int]:
        """Episodes per split."""
        return {name: len(shards) for name, shards in self._shards.items()}

    def record(self, split: str, index: int) -> memoryview:
        """Return the serialized Example of an episode; its checksum holds."""
        return self._split(split)[index]

    def episode(self, split: str, index: int) -> Episode:
        """Return episode `index` of a split; images are decoded by `Episode.image`.

        Raises CorruptRecordError, naming file and record, for damaged bytes.
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
        """Return the steps of every episode, from the record heads (no column is copied)."""
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
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    @functools.cached_property
    def statistics(self) -> dict[str, Any] | None:
        """The entry of `dataset_statistics.json`, or None when there is no such file."""
        path = self.path / STATISTICS_FILE
        if not path.is_file():
            return None
        entries = statistics_from_json(_read(path), str(path))
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


def find_version(path: Path) -> Path:
    """Return the version folder: `path` itself, or the highest version below it."""
    if (path / INFO_FILE).is_file():
        return path
    versions = versions_of(path)
    if versions:
        return path / format_version(versions[-1])
    if not path.exists():
        raise DatasetError(f"there is no folder {path}")
    below = sorted(p.name for p in path.iterdir() if versions_of(p)) if path.is_dir() else []
    hint = f"; datasets below it: {', '.join(below)}" if below else ""
    raise DatasetError(
        f"{path} is no RLDS dataset: it has no {INFO_FILE} and no version folder{hint}"
    )


def is_dataset(path: Path) -> bool:
    """Whether `RldsDataset.open` would find a dataset here."""
    return (path / INFO_FILE).is_file() or bool(versions_of(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {path}: {error}") from error


def _located(error: CorruptRecordError, where: str) -> CorruptRecordError:
    return CorruptRecordError(f"{where}: {error}")
