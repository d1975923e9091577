# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read a LeRobot dataset, v3.0 (many episodes a file) or v2.1 (one file an episode)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.lerobot.layout import TASKS, Info, LeRobotError, read_info
from evla_ros.data.lerobot.tables import read_rows, rows
from evla_ros.data.lerobot.video import Image, frames_between
from evla_ros.errors import shorten
from evla_ros.reading.limits import EPISODES, JSON_BYTES
from evla_ros.reading.text_files import parse_json, read_text

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Place:
    """Where an episode is.

    Attributes:
        number: its `episode_index`.
        length: how many frames it has.
        data: its data file, from the dataset's root.
        first: the first of its rows there.
        videos: by camera: the file, and where in it the episode begins [s].
        metadata: what else the table of episodes says of it.
    """

    number: int
    length: int
    data: str
    first: int
    videos: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class LeRobotFolder:
    """A LeRobot dataset on the disk; `places` lists its episodes.

    Raises:
        LeRobotError: A file is missing, damaged or does not fit the others; it is named.
    """

    root: Path
    info: Info
    tasks: Mapping[int, str]
    places: Sequence[Place]
    _table: tuple[str, Any] | None = None  # the last data file that was read

    @staticmethod
    def open(root: Path) -> LeRobotFolder:
        """Read what `meta` says; frames are read when they are asked for."""
        info = read_info(root)
        EPISODES.check(info.episodes, str(root), LeRobotError)
        new = info.version == "v3.0"
        tasks = _tasks_table(root) if new else _tasks_lines(root)
        places = list(_places_table(root, info) if new else _places_lines(root, info))
        if len(places) != info.episodes:
            raise LeRobotError(
                f"{root}: info.json says {info.episodes} episodes, meta lists {len(places)}"
            )
        if sum(place.length for place in places) != info.frames:
            raise LeRobotError(
                f"{root}: info.json says {info.frames} frames, the episodes have "
                f"{sum(place.length for place in places)} together"
            )
        return LeRobotFolder(root, info, tasks, places)

    def numbers(self, place: Place, name: str) -> Array:
        """Return a column of numbers of an episode, [T, ...] in its own type."""
        column = self.info.columns[name]
        values = self._column(place, name)
        try:
            array = np.asarray(values, dtype=np.dtype(column.dtype))
        except (TypeError, ValueError) as error:
            raise LeRobotError(
                f"{self.root}: episode {place.number}: {name!r} holds what is no {column.dtype}"
            ) from error
        shape = (place.length, *column.shape)
        if array.size != place.length * column.width:
            raise LeRobotError(
                f"{self.root}: episode {place.number}: {name!r} has {array.size} numbers, "
                f"{place.length} frames of {list(column.shape)} are {place.length * column.width}"
            )
        return array.reshape(shape if column.shape != (1,) else (place.length,))

    def texts(self, place: Place, name: str) -> list[str]:
        """Return a column of texts of an episode."""
        return [str(value) for value in self._column(place, name)]

    def instructions(self, place: Place) -> list[str]:
        """Return the task of each frame of an episode."""
        found = []
        for number in self._column(place, "task_index"):
            if number not in self.tasks:
                raise LeRobotError(
                    f"{self.root}: episode {place.number} has the task {number}, which the table "
                    "of tasks does not have"
                )
            found.append(self.tasks[number])
        return found

    def pictures(self, place: Place, camera: str) -> Iterator[bytes | Image]:
        """Yield the pictures of an episode: encoded as they are stored, or frames of its video."""
        if self.info.columns[camera].dtype == "video":
            if camera not in place.videos:
                raise LeRobotError(f"{self.root}: episode {place.number} has no video of {camera}")
            path, start_s = place.videos[camera]
            yield from frames_between(self.root / path, start_s, place.length, self.info.fps)
            return
        for index, stored in enumerate(self._column(place, camera)):
            data = stored.get("bytes") if isinstance(stored, dict) else None
            if not data:
                raise LeRobotError(
                    f"{self.root}: episode {place.number}, frame {index}: {camera} holds no picture"
                )
            yield bytes(data)

    def _column(self, place: Place, name: str) -> list[Any]:
        if self._table is None or self._table[0] != place.data:
            self._table = place.data, read_rows(self.root / place.data)
        table = self._table[1]
        if name not in table.column_names:
            raise LeRobotError(f"{self.root / place.data} lacks the column {name!r}")
        part = table.column(name).slice(place.first, place.length)
        numbers = table.column("episode_index").slice(place.first, place.length).to_pylist()
        if len(part) != place.length or any(number != place.number for number in numbers):
            raise LeRobotError(
                f"{self.root / place.data}: rows {place.first} to {place.first + place.length} are "
                f"not episode {place.number}; data and meta do not fit each other"
            )
        found: list[Any] = part.to_pylist()
        return found


def _tasks_table(root: Path) -> dict[int, str]:
    """Return the tasks of v3.0; pandas keeps the text in a column of any name."""
    found = {}
    for row in rows(root / TASKS):
        texts = [value for value in row.values() if isinstance(value, str)]
        number = row.get("task_index")
        if not isinstance(number, int) or len(texts) != 1:
            raise LeRobotError(f"{root / TASKS}: a row is no text and its task_index")
        found[number] = texts[0]
    return found


def _tasks_lines(root: Path) -> dict[int, str]:
    lines = _lines(root / "meta/tasks.jsonl")
    try:
        return {int(line["task_index"]): str(line["task"]) for line in lines}
    except (KeyError, TypeError, ValueError) as error:
        raise LeRobotError(f"{root}/meta/tasks.jsonl cannot be used: {error}") from error


def _lines(path: Path) -> list[dict[str, Any]]:
    found = []
    for number, line in enumerate(read_text(path, JSON_BYTES, LeRobotError).splitlines(), 1):
        if line.strip():
            content = parse_json(line, f"{path}, line {number}", LeRobotError)
            if not isinstance(content, dict):
                raise LeRobotError(f"{path}, line {number}: no JSON object")
            found.append(content)
    return found


def _places_lines(root: Path, info: Info) -> Iterator[Place]:
    for row in _lines(root / "meta/episodes.jsonl"):
        try:
            number, length = int(row["episode_index"]), int(row["length"])
        except (KeyError, TypeError, ValueError) as error:
            raise LeRobotError(
                f"{root}/meta/episodes.jsonl: {shorten(json.dumps(row))} is no episode"
            ) from error
        at = {"episode_chunk": number // info.chunks_size, "episode_index": number}
        videos = {
            camera: (info.path(info.video_path, video_key=camera, **at), 0.0)
            for camera in info.cameras
            if info.columns[camera].dtype == "video"
        }
        yield Place(number, length, info.path(info.data_path, **at), 0, videos)


def _places_table(root: Path, info: Info) -> Iterator[Place]:
    files = sorted((root / "meta/episodes").glob("chunk-*/file-*.parquet"))
    if not files:
        raise LeRobotError(f"{root} has no meta/episodes/chunk-*/file-*.parquet")
    first_of: dict[str, int] = {}  # the first frame of each data file
    for file in files:
        for row in rows(file):
            try:
                place = _place(info, row, first_of)
            except (KeyError, TypeError, ValueError) as error:
                raise LeRobotError(f"{file} cannot be used: {error!r}") from error
            yield place


def _place(info: Info, row: Mapping[str, Any], first_of: dict[str, int]) -> Place:
    data = info.path(
        info.data_path, chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
    )
    first = int(row["dataset_from_index"])
    start = first_of.setdefault(data, first)
    videos = {}
    for camera in info.cameras:
        key = f"videos/{camera}"
        if info.columns[camera].dtype == "video":
            path = info.path(
                info.video_path,
                video_key=camera,
                chunk_index=row[f"{key}/chunk_index"],
                file_index=row[f"{key}/file_index"],
            )
            videos[camera] = path, float(row[f"{key}/from_timestamp"])
    known = ("stats/", "videos/", "data/", "meta/")
    metadata = {key: value for key, value in row.items() if not key.startswith(known)}
    length = int(row["length"])
    if length < 1 or first < start:
        raise ValueError(f"episode {row['episode_index']} has {length} frames from {first} on")
    return Place(int(row["episode_index"]), length, data, first - start, videos, metadata)
