# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One training sample: a moment, and R instructions each with the chunk that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.training.samples.standardize import StandardEpisode

FloatArray = npt.NDArray[np.float32]
RELABEL = "relabel_actions_"


@dataclass(frozen=True, eq=False)
class Answer:
    """An instruction and its chunk [K, D] in physical units.

    `valid` [K] is False past the episode's end.
    """

    instruction: str
    actions: FloatArray
    valid: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """images: camera -> uint8 [H, W, 3]. objects: phrase -> (right, down in 0..1.

    Metres [3]) or empty.
    """

    images: Mapping[str, npt.NDArray[np.uint8]]
    proprio: FloatArray | None
    answers: tuple[Answer, ...]
    objects: Mapping[str, FloatArray]


def own_answer(episode: StandardEpisode, step: int, chunk: int) -> Answer:
    """Return the K actions from `step` on; rows past the end are not valid."""
    rows = np.arange(step, step + chunk)
    valid = rows < episode.last
    actions = episode.action[np.minimum(rows, episode.last - 1)]
    return Answer(str(episode.episode.instructions[step]), actions, valid)


def relabelled(episode: StandardEpisode, step: int, chunk: int) -> list[Answer]:
    """Return the counterfactual answers stored beside a step (none in most datasets)."""
    columns, found = episode.episode.columns, []
    for name in sorted(key for key in columns if key.startswith(RELABEL)):
        suffix = name.removeprefix(RELABEL)
        steps = int(columns[f"relabel_steps_{suffix}"][step])
        if steps > 0:
            actions = np.asarray(columns[name][step], dtype=np.float32)
            words = str(columns[f"relabel_instruction_{suffix}"][step])
            found.append(Answer(words, *_fitted(actions[:steps], chunk)))
    return found


def draw_answers(
    episode: StandardEpisode, step: int, chunk: int, count: int, rng: np.random.Generator
) -> tuple[Answer, ...]:
    """Return R answers: the own one (where the action answers it) and counterfactual ones.

    With fewer than R to choose from they repeat.
    """
    others = relabelled(episode, step, chunk)
    follows = bool(episode.episode.metadata.get("follows_instruction", True))
    answers = [own_answer(episode, step, chunk)] if follows or not others else []
    order = rng.permutation(len(others))
    answers += [others[i] for i in order]
    return tuple(answers[i % len(answers)] for i in range(count))


def objects_at(episode: StandardEpisode, step: int) -> dict[str, FloatArray]:
    """Return phrase -> [5] (right, down, x, y, z) of the things seen at a step.

    Empty when not recorded.
    """
    names = str(episode.episode.metadata.get("object_names", ""))
    if not names or "object_pixels" not in episode.episode.columns:
        return {}
    pixels = np.asarray(episode.episode.columns["object_pixels"][step], dtype=np.float32)
    places = np.asarray(episode.episode.columns["object_positions"][step], dtype=np.float32)
    joined = np.concatenate([pixels, places], axis=1)
    return {n: joined[i] for i, n in enumerate(names.split("|")) if pixels[i, 0] >= 0}


def _fitted(actions: FloatArray, chunk: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    rows = np.arange(chunk)
    return actions[np.minimum(rows, len(actions) - 1)], rows < len(actions)
