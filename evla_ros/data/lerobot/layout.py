# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a LeRobot dataset keeps what, and what its `meta/info.json` says (versions 3.0 and 2.1).

Source: huggingface/lerobot, src/lerobot/datasets/{utils,dataset_metadata,dataset_writer}.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from evla_ros.errors import EvlaError, shorten
from evla_ros.reading.text_files import is_file, read_json_object

VERSION = "v3.0"
READABLE = ("v3.0", "v2.1", "v2.0")
INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
CHUNKS_SIZE, DATA_MB, VIDEO_MB = 1000, 100, 200
COUNTERS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
COUNTER_DTYPES = {"timestamp": "float32"}  # the others are int64
PICTURES = ("image", "video")
ORIGIN = "meta/evla_ros.json"  # what LeRobot has no place for; its readers pass over it
EMBODIMENT = "meta/evla_embodiment.yaml"
_PLACE = re.compile(r"\{(?P<name>\w+)(?::0(?P<digits>\d{1,3})d)?\}")
_MOST_DIGITS = 12


class LeRobotError(EvlaError):
    """A folder that is no LeRobot dataset, or one that cannot be read or written."""


@dataclass(frozen=True)
class Column:
    """One feature of `info.json`.

    Attributes:
        name: such as `observation.state`.
        dtype: a NumPy type, `string`, `image` or `video`.
        shape: of one frame; of pictures as the file has it.
        labels: a name for each number, where the file gives them.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    labels: tuple[str, ...] = ()

    @property
    def is_picture(self) -> bool:
        """Whether it is a camera."""
        return self.dtype in PICTURES

    @property
    def width(self) -> int:
        """How many numbers one frame holds."""
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclass(frozen=True)
class Info:
    """What `meta/info.json` says."""

    version: str
    fps: float
    columns: Mapping[str, Column]
    episodes: int
    frames: int
    chunks_size: int
    data_path: str
    video_path: str
    robot_type: str
    splits: Mapping[str, str]

    @property
    def cameras(self) -> tuple[str, ...]:
        """The names of the columns that are pictures."""
        return tuple(name for name, column in self.columns.items() if column.is_picture)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the columns of numbers, without LeRobot's own counters."""
        return tuple(
            name
            for name, column in self.columns.items()
            if not column.is_picture and column.dtype != "string" and name not in COUNTERS
        )

    def path(self, template: str, **places: object) -> str:
        """Return a path of the dataset, made of one of its templates.

        Raises:
            LeRobotError: The template asks for something else, or leads out of the folder.
        """
        made = _PLACE.sub(lambda match: _filled(match, template, places), template)
        parts = PurePosixPath(made)
        if parts.is_absolute() or ".." in parts.parts or not parts.parts:
            raise LeRobotError(f"{INFO}: the path {shorten(repr(made))} leads out of the dataset")
        return made


def _filled(match: re.Match[str], template: str, places: Mapping[str, object]) -> str:
    name, digits = match["name"], int(match["digits"] or 0)
    if name not in places or digits > _MOST_DIGITS:
        raise LeRobotError(f"{INFO}: the path {shorten(repr(template))} is no template")
    return str(places[name]).zfill(digits)


def is_lerobot(path: Path) -> bool:
    """Return whether a folder has LeRobot's `meta/info.json`."""
    return is_file(path / INFO)


def read_info(root: Path) -> Info:
    """Read `meta/info.json`.

    Raises:
        LeRobotError: It is missing, of another version, or says something that cannot be.
    """
    path = root / INFO
    if not path.is_file():
        raise LeRobotError(f"{root} is no LeRobot dataset: it has no {INFO}")
    content = read_json_object(path, LeRobotError)
    version = str(content.get("codebase_version", ""))
    if version not in READABLE:
        raise LeRobotError(
            f"{path} is of version {shorten(repr(version))}; read are {', '.join(READABLE)}"
        )
    try:
        return Info(
            version,
            _positive(content["fps"]),
            {str(name): _column(str(name), body) for name, body in content["features"].items()},
            int(content["total_episodes"]),
            int(content["total_frames"]),
            int(content.get("chunks_size") or CHUNKS_SIZE),
            str(content["data_path"]),
            str(content.get("video_path") or ""),
            str(content.get("robot_type") or ""),
            {str(k): str(v) for k, v in (content.get("splits") or {}).items()},
        )
    except KeyError as error:
        raise LeRobotError(f"{path} lacks {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise LeRobotError(f"{path} cannot be used: {shorten(str(error))}") from error


def _positive(value: Any) -> float:
    number = float(value)
    if not 0.0 < number < 1e4:
        raise ValueError(f"fps is {value!r}")
    return number


def _column(name: str, body: Mapping[str, Any]) -> Column:
    shape = tuple(int(size) for size in body["shape"])
    if any(not 0 < size < 1 << 20 for size in shape):
        raise ValueError(f"feature {shorten(repr(name))} has the shape {list(shape)}")
    return Column(name, str(body["dtype"]), shape, _labels(body.get("names")))


def _labels(names: Any) -> tuple[str, ...]:
    """Return names that are a list, or a dictionary of lists (`{"motors": [...]}`)."""
    if isinstance(names, Mapping):
        names = next((value for value in names.values() if isinstance(value, list)), None)
    if isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names):
        return tuple(names)
    return ()
