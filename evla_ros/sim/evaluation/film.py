# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Render an episode from its kept states: a pretty overview, what the policy saw, a caption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from evla_ros.data.image_resize import resize_rgb
from evla_ros.data.view.mp4 import write_mp4
from evla_ros.sim.evaluation.episode import FILM_HZ, Played
from evla_ros.sim.evaluation.record import EpisodeRecord
from evla_ros.sim.simulation import SimulationState
from evla_ros.sim.world import World

Image = npt.NDArray[np.uint8]
_HEIGHT, _WIDTH, _CAPTION = 432, 576, 56
_END_S = 1.0


def film_episode(world: World, played: Played, folder: Path, quality: str = "pretty") -> Path:
    """Write the film of an episode.

    Args:
        world: the world that it was played in, not reset since.
        played: the episode with its states.
        folder: where the MP4 goes.
        quality: quality of the rendering, `pretty` or `fast`.

    Returns:
        The path of the MP4.
    """
    record = played.record
    task = "_".join(record.instruction.split())
    path = folder / f"{Path(record.policy).name}-{task}-seed{record.seed}.mp4"
    write_mp4(path, _frames(world, played.states, record, quality), FILM_HZ)
    return path


def _frames(
    world: World, states: Sequence[SimulationState], record: EpisodeRecord, quality: str
) -> Iterator[Image]:
    for index, state in enumerate(states):
        world.load_state(state)
        last = index == len(states) - 1
        note = (record.note or record.verdict.sentence) if last else ""
        overview = world.render(world.description.video_camera, _WIDTH, _HEIGHT, quality)
        frame = _frame(overview, world, record, index / FILM_HZ, note)
        for _ in range(round(_END_S * FILM_HZ) if last else 1):
            yield frame


def _frame(overview: Image, world: World, record: EpisodeRecord, time_s: float, note: str) -> Image:
    views = list(world.images().values())
    side = _HEIGHT // max(2, len(views)) // 2 * 2
    column = np.full((_HEIGHT, side, 3), 32, dtype=np.uint8)
    for i, view in enumerate(views):
        column[i * side : (i + 1) * side] = resize_rgb(view, side)
    picture = np.concatenate([overview, column], axis=1)
    return np.concatenate([picture, _caption(picture.shape[1], record, time_s, note)])


def _caption(width: int, record: EpisodeRecord, time_s: float, note: str) -> Image:
    bar = PilImage.new("RGB", (width, _CAPTION), (20, 22, 26))
    draw = ImageDraw.Draw(bar)
    large, small = ImageFont.load_default(17), ImageFont.load_default(13)
    draw.text((10, 6), record.instruction, font=large, fill=(240, 240, 240))
    draw.text((width - 10, 6), f"{time_s:5.1f} s", font=large, fill=(240, 240, 240), anchor="ra")
    left = note or f"{record.policy}, seed {record.seed}"
    draw.text((10, 32), left, font=small, fill=(255, 190, 90) if note else (165, 170, 180))
    return np.asarray(bar, dtype=np.uint8)
