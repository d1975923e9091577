# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two series of files that grow while episodes are exported: tables of numbers, and videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from evla_ros.data.lerobot.file_sizes import FileNumber
from evla_ros.data.lerobot.layout import DATA, DATA_MB, VIDEO, VIDEO_MB
from evla_ros.data.lerobot.tables import arrow
from evla_ros.data.lerobot.video import Image, VideoFile

MB = 1024 * 1024


@dataclass
class DataFiles:
    """`data/chunk-000/file-000.parquet` and on; one row group an episode, 100 MB a file."""

    root: Path
    schema: Any
    at: FileNumber = field(default_factory=FileNumber)
    _writer: Any = None
    _path: Path | None = None

    def add(self, columns: Mapping[str, Any]) -> FileNumber:
        """Append the frames of one episode; return the file that they are in."""
        pa = arrow()
        table = pa.Table.from_arrays(
            [columns[name] for name in self.schema.names], None, self.schema
        )
        if self._path is not None and self._path.stat().st_size >= DATA_MB * MB:
            self.close()
            self.at = self.at.next()
        if self._writer is None:
            self._path = self.root / DATA.format(**vars(self.at))
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pa.parquet.ParquetWriter(self._path, self.schema, compression="snappy")
        self._writer.write_table(table, row_group_size=len(table))
        return self.at

    def close(self) -> None:
        """Write the footer, without which nobody can read the file."""
        if self._writer is not None:
            self._writer.close()
        self._writer = self._path = None


class VideoSpan(NamedTuple):
    """Where the pictures of an episode are: a file, and from when to when in it [s]."""

    at: FileNumber
    from_s: float
    to_s: float


@dataclass
class VideoFiles:
    """`videos/<camera>/chunk-000/file-000.mp4` and on; many episodes a file, 200 MB each."""

    root: Path
    camera: str
    codec: str
    fps: int
    at: FileNumber = field(default_factory=FileNumber)
    _video: VideoFile | None = None
    _start: int = 0

    def begin(self, height: int, width: int) -> None:
        """Make ready for an episode: the file of the one before, or a new one."""
        if self._video is not None and self._video.bytes_so_far >= VIDEO_MB * MB:
            self.close()
            self.at = self.at.next()
        if self._video is None:
            path = self.root / VIDEO.format(video_key=self.camera, **vars(self.at))
            self._video = VideoFile(path, self.codec, self.fps, height, width)
        self._start = self._video.frames

    def add(self, image: Image) -> None:
        """Append a frame, uint8 [H, W, 3] RGB."""
        assert self._video is not None  # noqa: S101 - `begin` makes it
        self._video.add(image)

    def end(self) -> VideoSpan:
        """Return where the frames since `begin` are."""
        assert self._video is not None  # noqa: S101 - `begin` makes it
        return VideoSpan(self.at, self._start / self.fps, self._video.frames / self.fps)

    def close(self) -> None:
        """Finish the last file."""
        if self._video is not None:
            self._video.close()
        self._video = None
