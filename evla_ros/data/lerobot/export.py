# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write an RLDS dataset as a LeRobot dataset (v3.0): a new folder, aside first, then renamed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evla_ros.data.episode import Episode
from evla_ros.data.lerobot import layout, names
from evla_ros.data.lerobot.card import card
from evla_ros.data.lerobot.episode_rows import EpisodeRow, episode_table
from evla_ros.data.lerobot.layout import Column, LeRobotError
from evla_ros.data.lerobot.series import DataFiles, VideoFiles
from evla_ros.data.lerobot.statistics import (
    Array,
    as_json,
    number_statistics,
    picture_samples,
    picture_statistics,
    sampled_frames,
)
from evla_ros.data.lerobot.tables import arrow, data_schema
from evla_ros.data.rlds.features_json import to_json
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import Embodiment, parse_embodiment

Pictures = Literal["jpeg", "h264", "av1"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """What stands on the disk, and what could not be taken along."""

    path: Path
    episodes: int
    frames: int
    notes: list[str]


def export(
    dataset: RldsDataset,
    target: Path,
    pictures: Pictures = "jpeg",
    fps: int | None = None,
    licence: str = "",
    progress: Progress | None = None,
) -> Exported:
    """Write every episode of every split.

    Args:
        dataset: What to export.
        target: A folder that does not exist yet.
        pictures: `jpeg` takes the stored pictures unchanged; `h264` and `av1` make videos.
        fps: Frames a second; None: the rate of the embodiment.
        licence: For the card, as the hub spells it.
        progress: Told (episodes done, episodes) after each.

    Raises:
        LeRobotError: The folder exists, the rate is unknown or no whole number, or a column cannot
            be expressed.
    """
    arrow()
    if target.exists():
        raise LeRobotError(f"{target} exists; nothing is ever overwritten: give another folder")
    if not sum(dataset.splits.values()):
        raise LeRobotError(f"{dataset.path} has no episodes; there is nothing to export")
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{target.name}.incomplete.", dir=target.parent))
    try:
        exported = _Export(dataset, building, pictures, fps, licence)
        exported.run(progress)
        building.chmod(0o755)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return Exported(target, len(exported.rows), exported.frames, exported.notes)


@dataclass
class _Export:
    dataset: RldsDataset
    root: Path
    pictures: Pictures
    wanted_fps: int | None
    licence: str
    rows: list[EpisodeRow] = field(default_factory=list)
    frames: int = 0
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = self.dataset.embodiment_text
        self._robot: Embodiment | None = None
        if text:
            self._robot = parse_embodiment(text, source=str(self.dataset.path))
        self.fps = self._rate()
        features = self.dataset.features
        self._names = names.exported(features)
        kind = "image" if self.pictures == "jpeg" else "video"
        self._columns = names.columns_of(features, self._names, self._robot, kind)
        self._data = DataFiles(self.root, data_schema(self._columns))
        self._videos = {
            name: VideoFiles(self.root, name, self.pictures, self.fps)
            for name, column in self._columns.items()
            if column.dtype == "video"
        }
        self._tasks: dict[str, int] = {}
        self._numbers: dict[str, list[Array]] = {}
        self._samples: dict[str, list[Array]] = {}
        self._looked_at: dict[str, int] = {}
        self._note()

    def _note(self) -> None:
        left = names.left_out(self.dataset.features)
        flat = names.flattened(self.dataset.features, self._names)
        if left:
            self.notes.append(f"left out, because they cannot be read: {', '.join(left)}")
        if flat:
            self.notes.append(f"written as one row of numbers: {', '.join(flat)}")
        if self.pictures != "jpeg":
            self.notes.append(f"videos ({self.pictures}) lose some of the pictures' detail")

    def _rate(self) -> int:
        rate = self.wanted_fps or (self._robot.rate_hz if self._robot else None)
        if rate is None:
            raise LeRobotError(
                f"{self.dataset.path} has no embodiment.yaml that says its rate: give --fps"
            )
        if rate != round(rate):
            raise LeRobotError(
                f"LeRobot's rate is a whole number of frames a second, the dataset has {rate:g}: "
                "give --fps"
            )
        return round(rate)

    def run(self, progress: Progress | None) -> None:
        total = sum(self.dataset.splits.values())
        try:
            for split, count in self.dataset.splits.items():
                for index in range(count):
                    self._episode(self.dataset.episode(split, index), split)
                    if progress is not None:
                        progress(len(self.rows), total)
        finally:
            self._data.close()
            for video in self._videos.values():
                video.close()
        self._write_meta()

    def _episode(self, episode: Episode, split: str) -> None:
        pa = arrow()
        length, number = len(episode), len(self.rows)
        made: dict[str, Any] = {}
        statistics: dict[str, Any] = {}
        spans = {}
        for key, name in self._names.items():
            column = self._columns[name]
            short = key.removeprefix("observation/")
            if column.is_picture:
                statistics[name] = self._look(episode, short, name)
                if column.dtype == "image":
                    made[name] = self._stored(episode, short, column)
                else:
                    spans[name] = self._film(episode, short, name)
                continue
            values = _values(episode, key, short)
            if column.dtype == "string":
                made[name] = pa.array([str(value) for value in values], pa.string())
                continue
            made[name] = _numbers(values, column)
            self._numbers.setdefault(name, []).append(np.asarray(values).reshape(length, -1))
            statistics[name] = number_statistics(values)
        tasks = [self._tasks.setdefault(text, len(self._tasks)) for text in episode.instructions]
        counters: dict[str, Array] = {
            "timestamp": (np.arange(length) / self.fps).astype(np.float32),
            "frame_index": np.arange(length),
            "episode_index": np.full(length, number),
            "index": np.arange(self.frames, self.frames + length),
            "task_index": np.array(tasks),
        }
        for name, counted in counters.items():
            made[name] = _numbers(counted, self._columns[name])
            self._numbers.setdefault(name, []).append(counted.reshape(-1, 1))
            statistics[name] = number_statistics(counted)
        at = self._data.add(made)
        texts = list(dict.fromkeys(episode.instructions))
        row = EpisodeRow(
            number, split, length, self.frames, texts, at, spans, statistics, episode.metadata
        )
        self.rows.append(row)
        self.frames += length

    def _look(self, episode: Episode, short: str, name: str) -> dict[str, Any]:
        chosen = sampled_frames(len(episode))
        samples = picture_samples(np.stack([episode.image(short, i) for i in chosen]))
        self._samples.setdefault(name, []).append(samples[::PIXELS_KEPT])
        self._looked_at[name] = self._looked_at.get(name, 0) + len(chosen)
        return picture_statistics(samples, len(chosen))

    def _stored(self, episode: Episode, short: str, column: Column) -> Any:
        from evla_ros.data.image_jpeg import encode_png

        frames = episode.images.get(short)
        if frames is None:  # raw pixels: a format that loses nothing
            frames = [encode_png(episode.image(short, i)) for i in range(len(episode))]
        kind = self._data.schema.field(column.name).type
        stored = [{"bytes": bytes(data), "path": None} for data in frames]
        return arrow().array(stored, kind)

    def _film(self, episode: Episode, short: str, name: str) -> Any:
        video, (height, width) = self._videos[name], self._columns[name].shape[:2]
        video.begin(height, width)
        for index in range(len(episode)):
            video.add(episode.image(short, index))
        return video.end()

    def _write_meta(self) -> None:
        pa = arrow()
        (self.root / "meta").mkdir(exist_ok=True)
        tasks = pa.table(
            {
                "task_index": pa.array(range(len(self._tasks)), pa.int64()),
                "task": pa.array(list(self._tasks), pa.string()),
            }
        )
        metadata = {b"pandas": json.dumps(_TASKS_INDEX).encode()}
        pa.parquet.write_table(tasks.replace_schema_metadata(metadata), self.root / layout.TASKS)
        path = self.root / layout.EPISODES.format(chunk_index=0, file_index=0)
        path.parent.mkdir(parents=True, exist_ok=True)
        pa.parquet.write_table(episode_table(self.rows), path, compression="snappy")
        statistics = {
            name: number_statistics(np.concatenate(v)) for name, v in self._numbers.items()
        }
        for name, samples in self._samples.items():
            statistics[name] = picture_statistics(np.concatenate(samples), self._looked_at[name])
        self._json(layout.STATS, as_json(statistics))
        self._json(layout.INFO, self._info())
        self._json(layout.ORIGIN, self._origin())
        if self.dataset.embodiment_text:
            (self.root / layout.EMBODIMENT).write_text(self.dataset.embodiment_text, "utf-8")
        robot = self._robot.name if self._robot else ""
        text = card(
            self.dataset.name, robot, self.licence, len(self.rows), self.frames, self.fps,
            self._columns, list(self._tasks),
        )  # fmt: skip
        (self.root / "README.md").write_text(text, encoding="utf-8")

    def _json(self, name: str, content: Any) -> None:
        text = json.dumps(content, indent=4, ensure_ascii=False) + "\n"
        (self.root / name).write_text(text, encoding="utf-8")

    def _info(self) -> dict[str, Any]:
        return {
            "codebase_version": layout.VERSION,
            "robot_type": self._robot.name if self._robot else None,
            "total_episodes": len(self.rows),
            "total_frames": self.frames,
            "total_tasks": len(self._tasks),
            "chunks_size": layout.CHUNKS_SIZE,
            "data_files_size_in_mb": layout.DATA_MB,
            "video_files_size_in_mb": layout.VIDEO_MB,
            "fps": self.fps,
            "splits": self._splits(),
            "data_path": layout.DATA,
            "video_path": layout.VIDEO if self._videos else None,
            "features": {name: self._feature(column) for name, column in self._columns.items()},
        }

    def _splits(self) -> dict[str, str]:
        first, spans = 0, {}
        for split, count in self.dataset.splits.items():
            if count:
                spans[split] = f"{first}:{first + count}"
            first += count
        return spans

    def _feature(self, column: Column) -> dict[str, Any]:
        labels = list(column.labels) or None
        made: dict[str, Any] = {"dtype": column.dtype, "shape": list(column.shape), "names": labels}
        if column.dtype == "video":
            height, width = column.shape[:2]
            made["info"] = {
                "video.height": height, "video.width": width, "video.codec": self.pictures,
                "video.pix_fmt": "yuv420p", "video.is_depth_map": False, "video.fps": self.fps,
                "video.channels": 3, "has_audio": False,
            }  # fmt: skip
        return made

    def _origin(self) -> dict[str, Any]:
        """What makes an import give back the same dataset."""
        dataset = self.dataset
        return {
            "dataset": dataset.name,
            "version": dataset.path.name,
            "pictures": self.pictures,
            "columns": self._names,
            "features": to_json(dataset.features),
            "cameras": {name: [list(size) for size in v] for name, v in dataset.cameras.items()},
            "description": dataset.info.description,
        }


PIXELS_KEPT = 7  # of the sampled pixels, for the statistics over all episodes
# The index of the table of tasks is their text, as pandas writes it and LeRobot reads it.
_TASKS_INDEX = {
    "index_columns": ["task"],
    "column_indexes": [
        {"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object",
         "metadata": {"encoding": "UTF-8"}}
    ],
    "columns": [
        {"name": "task_index", "field_name": "task_index", "pandas_type": "int64",
         "numpy_type": "int64", "metadata": None},
        {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object",
         "metadata": None},
    ],
    "pandas_version": "2.0.0",
}  # fmt: skip


def _values(episode: Episode, key: str, short: str) -> Array:
    if key == "action":
        return episode.action
    return episode.columns[key] if short == key else episode.observations[short]


def _numbers(values: Array, column: Column) -> Any:
    pa = arrow()
    flat = np.ascontiguousarray(values, dtype=np.dtype(column.dtype)).reshape(-1)
    array = pa.array(flat)
    if column.width == 1:
        return array
    return pa.FixedSizeListArray.from_arrays(array, column.width)
