# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write staged episodes into TFRecord shards, and collect statistics and a digest on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from evla_ros.data.rlds.dataset_info import SplitInfo
from evla_ros.data.rlds.episode_decode import decode_numbers, step_count
from evla_ros.data.rlds.episode_encode import STEPS
from evla_ros.data.rlds.example_proto import scan_example
from evla_ros.data.rlds.features import ACTION, STATE, DatasetFeatures
from evla_ros.data.rlds.staging import StagedEpisode, read_staged
from evla_ros.data.rlds.statistics import StatisticsCollector
from evla_ros.data.rlds.tfrecord import FRAME_BYTES

DEFAULT_SHARD_BYTES = 128 * 2**20


class ShardWriter:
    """Writes the shards of every split into one folder."""

    def __init__(self, folder: Path, name: str, features: DatasetFeatures) -> None:
        self._folder, self._name, self._features = folder, name, features
        self._digest = hashlib.sha256()
        self.statistics = StatisticsCollector()

    @property
    def digest(self) -> str:
        """The SHA-256 (hex) over name, length and checksum of every record written so far."""
        return self._digest.hexdigest()

    def write_split(
        self, split: str, episodes: Sequence[StagedEpisode], shard_bytes: int
    ) -> SplitInfo:
        """Write the episodes in the given order; a shard is closed when it has `shard_bytes`."""
        groups = group_by_size([episode.payload_bytes for episode in episodes], shard_bytes)
        total = sum(episode.payload_bytes for episode in episodes)
        info = SplitInfo(split, tuple(len(group) for group in groups), total)
        for shard, group in zip(info.shard_names(self._name), groups, strict=True):
            with (self._folder / shard).open("wb") as file:
                for index in group:
                    header, payload, footer = read_staged(episodes[index].path)
                    file.writelines((header, payload, footer))
                    self._digest.update(episodes[index].episode_id.encode() + header + footer)
                    self._collect(memoryview(payload))
        return info

    def _collect(self, payload: memoryview) -> None:
        spans = scan_example(payload)
        steps = self._features.steps
        if ACTION not in steps:
            return
        length = step_count(spans, self._features)
        action = decode_numbers(spans[STEPS + ACTION], steps[ACTION], length, ACTION)
        state = None
        if STATE in steps:
            state = decode_numbers(spans[STEPS + STATE], steps[STATE], length, STATE)
            state = state.reshape(length, -1)
        self.statistics.add(action.reshape(length, -1), state)


def group_by_size(sizes: Sequence[int], limit: int) -> list[list[int]]:
    """Group the indices 0..N-1, in order, so that each group has at most `limit` framed bytes.

    A single index with more bytes is a group of its own.
    """
    groups: list[list[int]] = []
    filled = limit + 1
    for index, size in enumerate(sizes):
        framed = size + FRAME_BYTES
        if filled + framed > limit:
            groups.append([])
            filled = 0
        groups[-1].append(index)
        filled += framed
    return groups
