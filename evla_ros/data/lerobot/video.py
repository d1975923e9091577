# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of several episodes in one video, and the pictures of one episode out of it (PyAV).

LeRobot's own settings: every second frame stands alone (so that a frame is found quickly), yuv420p.
Source: huggingface/lerobot, src/lerobot/datasets/video_utils.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.image_limits import check_pixels
from evla_ros.data.lerobot.layout import LeRobotError
from evla_ros.errors import shorten

Image = npt.NDArray[np.uint8]
CODECS = {
    "h264": ("libx264", {"crf": "23", "preset": "veryfast", "g": "2"}),
    "av1": ("libsvtav1", {"crf": "30", "preset": "12", "g": "2"}),
}
_TOLERANCE = 0.5  # of a frame's time


def library() -> ModuleType:
    """Return PyAV; raises LeRobotError where it is missing."""
    try:
        import av
    except ImportError as error:
        raise LeRobotError(
            "videos need PyAV, which is not installed: pip install 'evla_ros[data]'"
        ) from error
    return av


class VideoFile:
    """One video that grows frame by frame; `close` finishes it."""

    def __init__(self, path: Path, codec: str, fps: int, height: int, width: int) -> None:
        if height % 2 or width % 2:
            raise LeRobotError(
                f"pictures of {width}x{height} cannot be a yuv420p video: both numbers must be "
                "even; export without --video"
            )
        av = library()
        encoder, settings = CODECS[codec]
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.frames = path, 0
        self._av = av
        os.environ.setdefault("SVT_LOG", "1")  # errors alone; the encoder prints a page a file
        try:
            self._container = av.open(str(path), "w", format="mp4")
            self._stream: Any = self._container.add_stream(encoder, rate=Fraction(fps))
        except (av.FFmpegError, ValueError) as error:
            raise LeRobotError(f"this PyAV cannot write {codec} ({encoder}): {error}") from error
        self._stream.height, self._stream.width = height, width
        self._stream.pix_fmt, self._stream.options = "yuv420p", settings

    def add(self, image: Image) -> None:
        """Append a frame, uint8 [H, W, 3] RGB."""
        frame = self._av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = self.frames
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    @property
    def bytes_so_far(self) -> int:
        """What stands on the disk; frames in the encoder are not counted."""
        return self.path.stat().st_size if self.path.exists() else 0

    def close(self) -> None:
        """Write what the encoder still holds, and the index."""
        self._container.mux(self._stream.encode())
        self._container.close()


def frames_between(path: Path, start_s: float, count: int, fps: float) -> Iterator[Image]:
    """Yield `count` frames of a video from a time on, uint8 [H, W, 3] RGB.

    Raises:
        LeRobotError: The video is missing, damaged, or has fewer frames there.
    """
    av = library()
    if not path.is_file():
        raise LeRobotError(f"{path} is missing; the dataset is not complete")
    found = 0
    try:
        with av.open(str(path), "r") as container:
            if not container.streams.video:
                raise LeRobotError(f"{path} holds no video")
            stream = container.streams.video[0]
            check_pixels(stream.height, stream.width, f"a frame of {path}")
            base = stream.time_base
            container.seek(max(0, int(start_s / base)), stream=stream, backward=True)
            for frame in container.decode(stream):
                at_s = float(frame.pts * base) if frame.pts is not None else 0.0
                if at_s < start_s - _TOLERANCE / fps:
                    continue
                wanted = start_s + found / fps
                if at_s > wanted + _TOLERANCE / fps:
                    raise LeRobotError(
                        f"{path}: a frame is missing at {wanted:.3f} s (the next is at {at_s:.3f})"
                    )
                yield frame.to_ndarray(format="rgb24")
                found += 1
                if found == count:
                    return
    except (av.FFmpegError, OSError, ValueError) as error:
        raise LeRobotError(f"{path} cannot be decoded: {shorten(str(error))}") from error
    raise LeRobotError(f"{path} has {found} of {count} frames from {start_s:.3f} s on")
