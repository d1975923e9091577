# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An H.264 video of one episode: all cameras side by side under a caption with the step."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np

from evla_ros.data.episode import Episode
from evla_ros.data.view.drawing import (
    BACKGROUND,
    FAINT,
    INK,
    ImageArray,
    fit_text,
    font,
    pillow,
    shown_cameras,
)
from evla_ros.data.view.drawing import scaled as scale_frame
from evla_ros.errors import EvlaError

FRAME_HEIGHT, CAPTION = 256, 56
DEFAULT_RATE_HZ = 10.0


def write_video(episode: Episode, path: Path, rate_hz: float | None = None) -> int:
    """Write an MP4 at `rate_hz` (default: what its stamps say, else 10); return its frames."""
    keys = shown_cameras(episode)
    if not keys or not len(episode):
        raise EvlaError("the episode has no pictures to make a video of")
    av = _pyav()
    rate = rate_hz or episode_rate(episode) or DEFAULT_RATE_HZ
    path.parent.mkdir(parents=True, exist_ok=True)
    first = compose(episode, keys, 0, rate)
    with av.open(str(path), mode="w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000))
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast"}
        for step in range(len(episode)):
            frame = first if step == 0 else compose(episode, keys, step, rate)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return len(episode)


def compose(episode: Episode, keys: list[str], step: int, rate_hz: float) -> ImageArray:
    """Draw one video frame: uint8 [H, W, 3] with even sides, as H.264 wants."""
    frames = [scale_frame(episode.image(key, step), FRAME_HEIGHT) for key in keys]
    width = sum(frame.shape[1] for frame in frames) + 4 * (len(frames) - 1)
    width = max(width + width % 2, 320)
    canvas = np.full((FRAME_HEIGHT + CAPTION, width, 3), BACKGROUND, dtype=np.uint8)
    left = 0
    image = pillow().Image.fromarray(canvas)
    draw = pillow().ImageDraw.Draw(image)
    for key, frame in zip(keys, frames, strict=True):
        image.paste(pillow().Image.fromarray(frame), (left, CAPTION))
        label = key.removeprefix("image_")
        box = draw.textbbox((left + 6, FRAME_HEIGHT + CAPTION - 20), label, font=font(13))
        draw.rectangle((box[0] - 3, box[1] - 2, box[2] + 3, box[3] + 2), fill=BACKGROUND)
        draw.text((left + 6, FRAME_HEIGHT + CAPTION - 20), label, font=font(13), fill=INK)
        left += frame.shape[1] + 4
    text = fit_text(draw, episode.instructions[step] or "(no instruction)", font(16), width - 16)
    draw.text((8, 6), text, font=font(16), fill=INK)
    draw.text((8, 31), _status(episode, step, rate_hz), font=font(14), fill=FAINT)
    return np.asarray(image, dtype=np.uint8)


def episode_rate(episode: Episode) -> float | None:
    """Return the rate in Hz that the `stamp_ns` column says, or None."""
    stamps = episode.columns.get("stamp_ns")
    if stamps is None or len(stamps) < 2:
        return None
    tick = float(np.median(np.diff(stamps)))
    return 1e9 / tick if tick > 0 else None


def _status(episode: Episode, step: int, rate_hz: float) -> str:
    text = f"{step / rate_hz:5.1f} s   step {step + 1}/{len(episode)}"
    dim = episode.action.shape[1]
    if dim and dim % 7 == 0:
        words = [f"{episode.action[step, 7 * arm + 6]:.1f}" for arm in range(dim // 7)]
        text += f"   gripper {' '.join(words)}"
    return text


def _pyav() -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise EvlaError(
            "videos need PyAV, which is not installed: pip install 'evla_ros[data]'"
        ) from error
    return av
