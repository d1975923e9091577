# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An H.264 video of one episode: all cameras side by side under a caption with the step."""

from __future__ import annotations

from pathlib import Path

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
from evla_ros.data.view.mp4 import write_mp4
from evla_ros.errors import EvlaError

FRAME_HEIGHT, CAPTION = 256, 56
CRF = 20
DEFAULT_RATE_HZ = 10.0


def write_video(episode: Episode, path: Path, rate_hz: float | None = None) -> int:
    """Write an MP4 of one episode, all cameras side by side.

    Args:
        episode: The episode.
        path: The file to write; its folder is made.
        rate_hz: Frames a second; None takes the rate of the episode's stamps, else 10.

    Returns:
        How many frames the video has.

    Raises:
        EvlaError: The episode has no pictures, or PyAV is not installed.
    """
    keys = shown_cameras(episode)
    if not keys or not len(episode):
        raise EvlaError("the episode has no pictures to make a video of")
    rate = rate_hz or episode_rate(episode) or DEFAULT_RATE_HZ
    frames = (compose(episode, keys, step, rate) for step in range(len(episode)))
    return write_mp4(path, frames, rate, CRF)


def compose(episode: Episode, keys: list[str], step: int, rate_hz: float) -> ImageArray:
    """Draw one frame of the video.

    Args:
        episode: The episode.
        keys: Its cameras, left to right.
        step: Which step.
        rate_hz: Steps a second, for the time in the caption.

    Returns:
        uint8 [H, W, 3] RGB, H and W even, as H.264 wants.
    """
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
    """Return the rate [Hz] that the column `stamp_ns` shows; None without one."""
    stamps = episode.columns.get("stamp_ns")
    if stamps is None or len(stamps) < 2:
        return None
    tick = float(np.median(np.diff(stamps)))
    return 1e9 / tick if tick > 0 else None


def _status(episode: Episode, step: int, rate_hz: float) -> str:
    text = f"{step / rate_hz:5.1f} s   step {step + 1}/{len(episode)}"
    dim = episode.action.shape[1]
    if dim and dim % 7 == 0:
        openings = [f"{episode.action[step, 7 * arm + 6]:.1f}" for arm in range(dim // 7)]
        text += f"   gripper {' '.join(openings)}"
    return text
