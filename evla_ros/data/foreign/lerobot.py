# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A LeRobot dataset as a foreign one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from evla_ros.data.foreign.source import ForeignColumn, ForeignEpisode
from evla_ros.data.lerobot.folder import LeRobotFolder, Place


class LeRobotSource:
    """Reads LeRobot v3.0 and v2.1; its tasks are the instructions."""

    def __init__(self, root: Path) -> None:
        self._folder = LeRobotFolder.open(root)
        self.where = str(root)
        info = self._folder.info
        self.rate_hz: float | None = info.fps
        self.columns: Mapping[str, ForeignColumn] = {
            name: ForeignColumn(name, column.shape, column.dtype, column.labels)
            for name in info.numbers
            for column in [info.columns[name]]
        }
        self.cameras = info.cameras
        self.unread = tuple(
            f"{name}: text" for name, column in info.columns.items() if column.dtype == "string"
        )

    def __len__(self) -> int:
        return len(self._folder.places)

    def episodes(self) -> Iterator[ForeignEpisode]:
        """Yield the episodes in the order of the table."""
        for place in self._folder.places:
            yield self._episode(place)

    def _episode(self, place: Place) -> ForeignEpisode:
        folder = self._folder
        return ForeignEpisode(
            f"episode_{place.number:06d}",
            place.length,
            lambda name: folder.numbers(place, name),
            lambda camera: folder.pictures(place, camera),
            tuple(folder.instructions(place)),
        )
