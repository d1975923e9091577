# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Render an episode from its kept states: a pretty overview, what the policy saw, a caption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evla_ros.data.view.mp4 import write_mp4
from evla_ros.sim.evaluation.episode import FILM_HZ, Played
from evla_ros.sim.evaluation.record import EpisodeRecord
from evla_ros.sim.film_frame import GREY, ORANGE, Caption, film_frame
from evla_ros.sim.simulation import SimulationState
from evla_ros.sim.world import World

Image = npt.NDArray[np.uint8]
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
        caption = Caption(
            record.instruction,
            f"{index / FILM_HZ:5.1f} s",
            note or f"{record.policy}, seed {record.seed}",
            ORANGE if note else GREY,
        )
        frame = film_frame(world, caption, quality)
        for _ in range(round(_END_S * FILM_HZ) if last else 1):
            yield frame
