# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table `meta/episodes`: a row an episode says where its frames, videos and texts are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evla_ros.data.episode import Scalar
from evla_ros.data.lerobot.file_sizes import FileNumber
from evla_ros.data.lerobot.series import VideoSpan
from evla_ros.data.lerobot.statistics import FloatArray
from evla_ros.data.lerobot.tables import arrow

METADATA = "episode_metadata/"  # an episode's scalars; LeRobot's readers keep what they don't know
SPLIT = METADATA + "split"


@dataclass(frozen=True)
class EpisodeRow:
    """One episode of the new dataset."""

    number: int
    split: str
    length: int
    first_frame: int
    tasks: Sequence[str]
    data: FileNumber
    videos: Mapping[str, VideoSpan]
    statistics: Mapping[str, Mapping[str, FloatArray]]
    metadata: Mapping[str, Scalar]

    def cells(self) -> dict[str, Any]:
        """Return the row by column."""
        row: dict[str, Any] = {
            "episode_index": self.number,
            "tasks": list(self.tasks),
            "length": self.length,
            "data/chunk_index": self.data.chunk_index,
            "data/file_index": self.data.file_index,
            "dataset_from_index": self.first_frame,
            "dataset_to_index": self.first_frame + self.length,
        }
        for camera, span in self.videos.items():
            row[f"videos/{camera}/chunk_index"] = span.at.chunk_index
            row[f"videos/{camera}/file_index"] = span.at.file_index
            row[f"videos/{camera}/from_timestamp"] = span.from_s
            row[f"videos/{camera}/to_timestamp"] = span.to_s
        for name, found in self.statistics.items():
            for key, value in found.items():
                whole = key == "count"
                row[f"stats/{name}/{key}"] = [int(value[0])] if whole else value.tolist()
        row["meta/episodes/chunk_index"] = 0
        row["meta/episodes/file_index"] = 0
        row[SPLIT] = self.split
        row.update({METADATA + key: value for key, value in self.metadata.items()})
        return row


def episode_table(rows: Sequence[EpisodeRow]) -> Any:
    """Return the table of all episodes (pyarrow)."""
    return arrow().Table.from_pylist([row.cells() for row in rows])
