# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a dataset's own keys to ours: which column is which camera, and actions in our convention.

To add a dataset, write one function Episode -> StandardEpisode and put it into `TRANSFORMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Episode
from evla_ros.errors import nearest
from evla_ros.training.errors import TrainingDataError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class StandardEpisode:
    """One episode in the trainer's terms.

    cameras: camera name -> observation key. action [T, D]: deltas and absolute grippers, 1 = open.
    proprio [T, P] or None. first: steps before it are context only and never sampled.
    """

    episode: Episode
    cameras: Mapping[str, str]
    action: FloatArray
    proprio: FloatArray | None
    first: int = 0
    stop: int = -1  # one past the last step to sample; -1: all

    @property
    def last(self) -> int:
        """One past the last step whose action is real."""
        return len(self.action) if self.stop < 0 else self.stop


Transform = Callable[[Episode], StandardEpisode]


def evla(episode: Episode) -> StandardEpisode:
    """Datasets that this project writes: `image_<camera>`, `state`, actions as they are."""
    cameras = {key.removeprefix("image_"): key for key in episode.camera_keys}
    return StandardEpisode(episode, cameras, episode.action, episode.observations.get("state"))


def bridge(episode: Episode) -> StandardEpisode:
    """BridgeData V2: reached deltas from the states, commanded gripper made binary, ends left out.

    As the published loaders do it; Euler differences are taken on the circle.
    """
    state = np.asarray(episode.observations["state"], dtype=np.float32)
    action = np.array(episode.action, dtype=np.float32)
    delta = np.diff(state[:, :6], axis=0)
    delta[:, 3:] = (delta[:, 3:] + np.pi) % (2 * np.pi) - np.pi
    action[:-1, :6] = delta
    action[:, 6] = binary_gripper(action[:, 6])
    return StandardEpisode(
        episode, {"primary": "image_0"}, action, state, first=1, stop=max(len(action) - 1, 1)
    )


def binary_gripper(opening: FloatArray) -> FloatArray:
    """Return 1 above 0.95, 0 below 0.05; in between what is reached next (Bridge's own rule)."""
    result = np.empty_like(opening)
    reached = 1.0 if opening[-1] > 0.5 else 0.0
    for i in range(len(opening) - 1, -1, -1):
        if opening[i] > 0.95:
            reached = 1.0
        elif opening[i] < 0.05:
            reached = 0.0
        result[i] = reached
    return result


TRANSFORMS: Mapping[str, Transform] = {
    "evla": evla,
    "bridge": bridge,
    "bridge_dataset": bridge,
    "bridge_orig": bridge,
}


def find_transform(name: str, dataset_name: str) -> Transform:
    """Return a transform by name; `auto` takes the dataset's own, or that of this project."""
    if name == "auto":
        return TRANSFORMS.get(dataset_name, evla)
    if name not in TRANSFORMS:
        raise TrainingDataError(f"unknown standardisation {name!r}; {nearest(name, TRANSFORMS)}")
    return TRANSFORMS[name]
