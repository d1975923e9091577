# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write frames as an MP4 (H.264) through PyAV; the file gets its name when it is complete."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError

Image = npt.NDArray[np.uint8]


def write_mp4(path: Path, frames: Iterable[Image], rate_hz: float, crf: int = 23) -> int:
    """Write a video and return how many frames it has.

    Args:
        path: the file; its folder is made.
        frames: uint8 [H, W, 3] RGB, all of one size, H and W even.
        rate_hz: frames a second.
        crf: H.264's constant rate factor, 0 to 51; lower is better and larger.

    Raises:
        EvlaError: PyAV is missing, there are no frames, or one does not fit the first.
    """
    try:
        import av
    except ImportError as error:
        raise EvlaError(
            "videos need PyAV, which is not installed: pip install 'evla_ros[data]', or [sim]"
        ) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    count, shape = 0, (0, 0)
    try:
        with av.open(str(partial), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=Fraction(rate_hz).limit_denominator(1000))
            for frame in frames:
                if count == 0:
                    shape = (frame.shape[0], frame.shape[1])
                    stream.height, stream.width = shape
                    stream.pix_fmt = "yuv420p"
                    stream.options = {"crf": str(crf), "preset": "veryfast"}
                _check(frame, shape)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
                count += 1
            if count == 0:
                raise EvlaError(f"no frame for the video {path}")
            container.mux(stream.encode())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _check(frame: Image, shape: tuple[int, int]) -> None:
    height, width = shape
    if frame.dtype != np.uint8 or frame.shape != (height, width, 3) or height % 2 or width % 2:
        raise EvlaError(
            f"a video frame {frame.dtype} {list(frame.shape)}; "
            f"all take uint8 [{height}, {width}, 3], both even"
        )
