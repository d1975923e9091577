# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert a dataset's own keys and actions to the trainer's convention.

To add a dataset, write one function Episode -> StandardEpisode and put it into `TRANSFORMS`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Episode
from evla_ros.data.open_x.datasets import DATASETS, known_name
from evla_ros.data.open_x.standardize import needed_columns, standardize
from evla_ros.data.rlds.features import DatasetFeatures
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.statistics import action_mask
from evla_ros.errors import nearest
from evla_ros.training.errors import TrainingDataError

FloatArray = npt.NDArray[np.float32]
RELABEL = "relabel_actions_"  # column prefix of counterfactual answers


@dataclass(frozen=True, eq=False)
class StandardEpisode:
    """One episode in the trainer's convention.

    Attributes:
        episode: The episode as stored.
        cameras: Camera name -> observation key.
        action: [T, D] pose deltas [m, rad] and absolute grippers, 1 = open.
        proprio: [T, P], or None.
        first: Earlier steps are never sampled.
        stop: One past the last step to sample; -1 samples to the end.
        learned: [T] which steps are sampled; None samples all.
        differences: Whether the angles are plain differences of stored ones, which may jump by a
            turn.
    """

    episode: Episode
    cameras: Mapping[str, str]
    action: FloatArray
    proprio: FloatArray | None
    first: int = 0
    stop: int = -1  # one past the last step to sample; -1: all
    learned: npt.NDArray[np.bool_] | None = None
    differences: bool = False

    @property
    def last(self) -> int:
        """One past the last step whose action is real."""
        return len(self.action) if self.stop < 0 else self.stop


@dataclass(frozen=True)
class Transform:
    """How the episodes of a dataset become ours.

    Attributes:
        name: What `transform:` calls it.
        apply: The function.
        open_x: Name of the published dataset that it reads; empty for others.
    """

    name: str
    apply: Callable[[Episode], StandardEpisode]
    open_x: str = ""

    def columns(self, features: DatasetFeatures) -> frozenset[str] | None:
        """Return the step columns that it reads, None for all.

        Raises:
            OpenXError: The dataset that has these features is not the one that it reads.
        """
        return needed_columns(self.open_x, features) if self.open_x else None

    def action_mask(self, embodiment_text: str, action_dim: int) -> list[bool]:
        """Return which numbers of an action are normalised, [D]; grippers are not."""
        if self.open_x:
            return DATASETS[self.open_x].action_mask
        return action_mask(embodiment_text, action_dim)


def evla(episode: Episode) -> StandardEpisode:
    """Standardise datasets of this project: `image_<camera>`, `state`, actions unchanged."""
    cameras = {key.removeprefix("image_"): key for key in episode.camera_keys}
    return StandardEpisode(episode, cameras, episode.action, episode.observations.get("state"))


def bridge(episode: Episode) -> StandardEpisode:
    """Standardise BridgeData V2 as the published loaders do.

    The pose deltas are those between the measured states, with Euler differences taken on the
    circle; the commanded gripper is made binary; the first and last steps are left out.
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
    """Return 1 above 0.95 and 0 below 0.05; in between, the next of the two that is reached.

    This is Bridge's own rule.
    """
    result = np.empty_like(opening)
    reached = 1.0 if opening[-1] > 0.5 else 0.0
    for i in range(len(opening) - 1, -1, -1):
        if opening[i] > 0.95:
            reached = 1.0
        elif opening[i] < 0.05:
            reached = 0.0
        result[i] = reached
    return result


def published(name: str, episode: Episode) -> StandardEpisode:
    """Standardise a dataset of Open X-Embodiment as its published loaders do."""
    found = standardize(name, episode)
    if found.instructions is not episode.instructions:
        episode = replace(episode, instructions=found.instructions)
    return StandardEpisode(
        episode,
        found.cameras,
        found.action,
        found.proprio,
        first=found.first,
        stop=found.stop,
        learned=found.learned,
        differences=found.differences,
    )


TRANSFORMS: Mapping[str, Transform] = {
    "evla": Transform("evla", evla),
    "bridge": Transform("bridge", bridge),
    **{name: Transform(name, functools.partial(published, name), name) for name in DATASETS},
}


def find_transform(name: str, dataset: RldsDataset) -> Transform:
    """Return the transform of a dataset.

    Args:
        name: A key of `TRANSFORMS`. `auto` takes `evla` for a dataset of this project, which holds
            its robot's embodiment.yaml, and otherwise goes by the dataset's name.
        dataset: The dataset.

    Raises:
        TrainingDataError: There is no transform of that name, or nothing says which one to take.
    """
    if name != "auto":
        known = name if name in TRANSFORMS else known_name(name)
        if known is None:
            raise TrainingDataError(f"unknown transform {name!r}; {nearest(name, TRANSFORMS)}")
        return TRANSFORMS[known]
    if dataset.embodiment_text:
        return TRANSFORMS["evla"]
    known = known_name(dataset.name)
    if known is not None:
        return TRANSFORMS[known]
    columns = ", ".join(sorted(dataset.features.steps))
    raise TrainingDataError(
        f"dataset {dataset.name!r}: nothing says how to read it: it holds no embodiment.yaml, so "
        f"`evla convert` did not make it, and no published dataset has its name; name one of "
        "bridge, evla or a dataset of Open X-Embodiment (datasets.0.transform=NAME, --transform "
        "NAME), or add one in evla_ros/training/samples/standardize.py; its columns: "
        f"{columns}"
    )
