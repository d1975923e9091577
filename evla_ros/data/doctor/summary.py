# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reduce an episode to what the checks need: all of its numbers, and thumbnails of its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Array, Episode, FloatArray, Scalar
from evla_ros.data.image_jpeg import decode_small

THUMBNAIL = 16  # pixels a side
MAX_FRAMES = 200  # pictures that are read of each camera and episode, from the start


@dataclass(frozen=True)
class CameraTrace:
    """The pictures of one camera over F frames, the first MAX_FRAMES steps of an episode."""

    thumbnails: npt.NDArray[np.uint8]  # [F, 16, 16, 3]
    deviation: npt.NDArray[np.float32]  # [F] standard deviation of a picture, of 255
    repeats: npt.NDArray[np.bool_]  # [T] True where the stored bytes equal the step before

    @property
    def brightness(self) -> npt.NDArray[np.float32]:
        """The mean of each picture [F], 0 to 255."""
        return np.asarray(self.thumbnails.mean(axis=(1, 2, 3), dtype=np.float32))

    @property
    def change(self) -> npt.NDArray[np.float32]:
        """The mean difference of each picture from the one before [F], 0 to 255; first 0."""
        steps = np.diff(self.thumbnails.astype(np.float32), axis=0)
        return np.concatenate(([np.float32(0)], np.abs(steps).mean(axis=(1, 2, 3))))


@dataclass(frozen=True)
class EpisodeSummary:
    """An episode without its pictures."""

    split: str
    index: int
    label: str
    action: FloatArray  # [T, D]
    state: FloatArray  # [T, P], P = 0 when there is none
    instructions: tuple[str, ...]  # without repetitions, in order
    columns: Mapping[str, Array]
    metadata: Mapping[str, Scalar]
    cameras: Mapping[str, CameraTrace]

    def __len__(self) -> int:
        return len(self.action)


def summarize(episode: Episode, split: str, index: int) -> EpisodeSummary:
    """Read all numbers of an episode, and the first MAX_FRAMES pictures of each camera."""
    state = episode.observations.get("state", np.zeros((len(episode), 0), np.float32))
    cameras = {key: _trace(episode, key) for key in episode.real_cameras}
    name = episode.episode_id
    return EpisodeSummary(
        split=split,
        index=index,
        label=name if name and not name.isdigit() else f"{split}/{index}",
        action=np.array(episode.action, dtype=np.float32),
        state=np.array(state, dtype=np.float32).reshape(len(episode), -1),
        instructions=tuple(dict.fromkeys(episode.instructions)),
        columns={k: v for k, v in episode.columns.items() if v.dtype != object},
        metadata=episode.metadata,
        cameras=cameras,
    )


def _trace(episode: Episode, key: str) -> CameraTrace:
    count = min(len(episode), MAX_FRAMES)
    thumbnails = np.zeros((count, THUMBNAIL, THUMBNAIL, 3), dtype=np.uint8)
    deviation = np.zeros(count, dtype=np.float32)
    for step in range(count):
        if key in episode.images:
            image = decode_small(episode.images[key][step])
        else:
            image = episode.image(key, step)
        thumbnails[step] = _thumbnail(image)
        deviation[step] = image.std()
    return CameraTrace(thumbnails, deviation, _repeats(episode, key))


def _repeats(episode: Episode, key: str) -> npt.NDArray[np.bool_]:
    same = np.zeros(len(episode), dtype=np.bool_)
    if key in episode.images:
        frames = episode.images[key]
        for step in range(1, len(episode)):
            same[step] = frames[step] == frames[step - 1]
    else:
        raw = episode.observations[key]
        same[1:] = (raw[1:] == raw[:-1]).all(axis=(1, 2, 3))
    return same


def _thumbnail(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Average blocks of pixels down to 16 x 16; the pixels of tiny pictures are repeated."""
    rows = np.linspace(0, image.shape[0], THUMBNAIL + 1).astype(int)[:-1]
    columns = np.linspace(0, image.shape[1], THUMBNAIL + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(image.astype(np.float32), rows, 0), columns, 1)
    heights = np.maximum(np.diff(np.append(rows, image.shape[0])), 1)
    widths = np.maximum(np.diff(np.append(columns, image.shape[1])), 1)
    return np.asarray(sums / (heights[:, None, None] * widths[None, :, None])).astype(np.uint8)
