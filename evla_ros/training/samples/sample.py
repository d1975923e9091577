# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One training sample: an observation, and R instructions with an action chunk for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.training.samples.standardize import RELABEL, StandardEpisode

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Answer:
    """An instruction and its chunk of actions.

    Attributes:
        instruction: The text.
        actions: [K, D] in metres, radians and gripper openings.
        valid: [K] False past the end of the episode.
    """

    instruction: str
    actions: FloatArray
    valid: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """An observation with its instructions and actions.

    Attributes:
        images: Camera -> uint8 [H, W, 3] RGB.
        proprio: [P] proprioception, or None.
        answers: R instructions with their actions.
        objects: Noun phrase -> [5]: right and down in the picture (0 to 1), and x, y, z in metres.
            Empty when the dataset does not record it.
    """

    images: Mapping[str, npt.NDArray[np.uint8]]
    proprio: FloatArray | None
    answers: tuple[Answer, ...]
    objects: Mapping[str, FloatArray]


def pictures_of(
    episode: StandardEpisode, cameras: Sequence[str], step: int
) -> dict[str, npt.NDArray[np.uint8]]:
    """Return the pictures of a step, uint8 [H, W, 3], black ones for cameras that are not there."""
    seen = {
        c: episode.episode.image(episode.cameras[c], step) for c in cameras if c in episode.cameras
    }
    if len(seen) == len(cameras):
        return seen
    black = np.zeros_like(next(iter(seen.values())))
    return {camera: seen.get(camera, black) for camera in cameras}


def own_answer(episode: StandardEpisode, step: int, chunk: int) -> Answer:
    """Return the K recorded actions from `step` on; rows past the end are not valid."""
    rows = np.arange(step, step + chunk)
    valid = rows < episode.last
    actions = episode.action[np.minimum(rows, episode.last - 1)]
    return Answer(str(episode.episode.instructions[step]), actions, valid)


def relabelled(episode: StandardEpisode, step: int, chunk: int) -> list[Answer]:
    """Return the instructions and actions stored with a step in addition to the recorded ones."""
    columns, found = episode.episode.columns, []
    for name in sorted(key for key in columns if key.startswith(RELABEL)):
        suffix = name.removeprefix(RELABEL)
        steps = int(columns[f"relabel_steps_{suffix}"][step])
        if steps > 0:
            actions = np.asarray(columns[name][step], dtype=np.float32)
            instruction = str(columns[f"relabel_instruction_{suffix}"][step])
            found.append(Answer(instruction, *_fitted(actions[:steps], chunk)))
    return found


def draw_answers(
    episode: StandardEpisode, step: int, chunk: int, count: int, rng: np.random.Generator
) -> tuple[Answer, ...]:
    """Return R answers: the own one, where the episode follows its instruction, and others.

    The others are those stored with the step. When there are fewer than R to choose from they
    repeat. Where the own instruction is among the stored ones, that answer is its own: recorded
    actions may react to noise that came after the step, which no picture of it can show.
    """
    stored = relabelled(episode, step, chunk)
    instruction = str(episode.episode.instructions[step])
    own = [answer for answer in stored if answer.instruction == instruction][:1]
    others = [answer for answer in stored if answer not in own]
    follows = bool(episode.episode.metadata.get("follows_instruction", True))
    if not own and (follows or not others):
        own = [own_answer(episode, step, chunk)]
    answers = list(own)
    order = rng.permutation(len(others))
    answers += [others[i] for i in order]
    return tuple(answers[i % len(answers)] for i in range(count))


def pixels_column(camera: str = "primary") -> str:
    """Return the column that says where objects are in a camera's picture."""
    return "object_pixels" if camera == "primary" else f"object_pixels_{camera}"


def objects_at(
    episode: StandardEpisode, step: int, camera: str = "primary"
) -> dict[str, FloatArray]:
    """Return the objects that a camera shows at a step: noun phrase -> [5], see `Sample.objects`.

    Empty when the dataset does not record it.
    """
    column = pixels_column(camera)
    names = str(episode.episode.metadata.get("object_names", ""))
    if not names or column not in episode.episode.columns:
        return {}
    pixels = np.asarray(episode.episode.columns[column][step], dtype=np.float32)
    places = np.asarray(episode.episode.columns["object_positions"][step], dtype=np.float32)
    joined = np.concatenate([pixels, places], axis=1)
    return {n: joined[i] for i, n in enumerate(names.split("|")) if pixels[i, 0] >= 0}


def _fitted(actions: FloatArray, chunk: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    rows = np.arange(chunk)
    return actions[np.minimum(rows, len(actions) - 1)], rows < len(actions)
