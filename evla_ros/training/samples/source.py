# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One split of one dataset, checked before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.narrow_spans import settle
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.split_part import split_name, split_part
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.standardize import RELABEL, StandardEpisode, find_transform
from evla_ros.training.samples.survey import survey

MOST_EPISODES_CACHED = 4096
_SLACK = 0.05
CHECKSUMS_UP_TO = 8 << 30  # bytes of a split; of larger ones only what is sampled is read


class Source:
    """The steps of a split that can be sampled, by number; episodes are parsed when needed.

    Attributes:
        name: Name of the dataset, and the key of its statistics.
        weight: Multiplies the size of the dataset in a mixture.
        entry: Number of the entry of the settings that it belongs to.
    """

    def __init__(
        self,
        path: str | Path,
        split: str,
        transform: str = "auto",
        *,
        weight: float = 1.0,
        entry: int = 0,
        cached_episodes: int = MOST_EPISODES_CACHED,
    ) -> None:
        """Open the dataset and look at every episode of the split.

        Raises:
            TrainingDataError: It has no such split, no actions, or no episode with an instruction.
            DatasetError: It cannot be read.
        """
        opened = RldsDataset.open(path, cached_episodes=cached_episodes)
        self.name, self.split, self.weight, self.entry = opened.name, split, weight, entry
        self._statistics: dict[str, Any] | None = None
        self._transform = find_transform(transform, opened)
        base = split_name(split)
        part = split_part(split, opened.splits.get(base, 0))
        if part.stop == part.start:
            have = ", ".join(f"{k} ({n})" for k, n in opened.splits.items()) or "none"
            raise TrainingDataError(
                f"dataset {self.name!r} has no episodes in split {split!r}; its splits: {have}"
            )
        self._part = part
        self.verified = opened.info.splits[base].num_bytes <= CHECKSUMS_UP_TO
        columns = self._transform.columns(opened.features)
        self.dataset = opened.reading(columns, verify=self.verified)
        self._check_features()
        self._survey = survey(self.name, split, self.episode, part.stop - part.start)
        if len(self) == 0:
            raise TrainingDataError(
                f"dataset {self.name!r}, split {split!r}, has no usable steps: {self._survey.why()}"
            )

    def __len__(self) -> int:
        return len(self._survey.steps)

    @property
    def transform_name(self) -> str:
        """Name of the transform that the dataset is read with."""
        return self._transform.name

    @property
    def action_mask(self) -> list[bool]:
        """Which numbers of an action are normalised, [D]; grippers are not."""
        width = self._survey.action_width
        return self._transform.action_mask(self.dataset.embodiment_text, width)

    @property
    def episode_count(self) -> int:
        """Episodes in the split."""
        return self._survey.episodes

    @property
    def shards(self) -> int:
        """Files of the split."""
        return len(self.dataset.info.splits[self._part.split].shard_lengths)

    @property
    def unlabelled(self) -> int:
        """Episodes of the split without any instruction; they are left out."""
        return self._survey.unlabelled

    @property
    def notes(self) -> list[str]:
        """Sentences on what was left out of the split, and on what may be wrong with it."""
        where = f"dataset {self.name!r}, split {self.split!r}"
        found = self._survey.notes(where)
        for column, scaled in enumerate(self.action_mask):
            low, high = self._survey.action.rows.extremes[column]
            if not scaled and (low < -_SLACK or high > 1 + _SLACK):
                found.append(
                    f"{where}: the gripper (action number {column}) goes from {low:.3g} to "
                    f"{high:.3g} where 0 (closed) to 1 (open) belongs; it is read as "
                    f"{self.transform_name}: is that the right transform?"
                )
        return found

    @property
    def has_relabels(self) -> bool:
        """Whether steps hold answers to other instructions than the recorded one."""
        return any(name.startswith(RELABEL) for name in self.dataset.features.steps)

    @property
    def has_objects(self) -> bool:
        """Whether episodes record where the named objects are."""
        names = self.episode(0).episode.metadata.get("object_names", "")
        return bool(names) and "object_pixels" in self.dataset.features.steps

    def instructions(self) -> set[str]:
        """Return every non-empty instruction of the split, counterfactual ones included."""
        return self._survey.instructions

    def episode(self, index: int) -> StandardEpisode:
        """Return an episode in the trainer's convention."""
        stored = self.dataset.episode(self._part.split, self._part.start + index)
        return self._transform.apply(stored)

    def locate(self, number: int) -> tuple[int, int]:
        """Return (episode, step inside it) of a sample number."""
        return self._survey.steps[number]

    def check(
        self,
        action_dim: int,
        proprio_dim: int,
        cameras: Sequence[str],
        *,
        black_cameras: bool = False,
    ) -> None:
        """Check the cameras, sizes and numbers of every episode.

        Args:
            action_dim: Action numbers that the model predicts, D.
            proprio_dim: Proprioception numbers that the model reads, P; 0 for none.
            cameras: Cameras that the model reads.
            black_cameras: Whether black pictures stand for cameras that the dataset does not have.

        Raises:
            TrainingDataError: Names the episode and what is wrong with it.
        """
        found, where = self._survey, f"dataset {self.name!r}, split {self.split!r}"
        lacking = {camera: found.lacking(camera) for camera in cameras}
        missing = {camera: index for camera, index in lacking.items() if index is not None}
        if missing and not (black_cameras and len(missing) < len(cameras)):
            camera, index = next(iter(missing.items()))
            have = ", ".join(found.cameras_of(index)) or "none"
            raise TrainingDataError(
                f"{where}, episode {index} lacks camera {camera!r}; it has: {have}; model.cameras "
                "names the cameras to look through, data.missing_cameras: black shows black "
                "pictures for some of several"
            )
        found.action.check(action_dim, "action", where)
        if proprio_dim:
            found.proprio.check(proprio_dim, "state", where)

    def statistics(self) -> dict[str, Any]:
        """Return the statistics of the standardised actions and proprioception.

        They are the dataset's stored ones where there are any; those of transformed actions are
        computed over this split.
        """
        if self._statistics is None:
            self._statistics = self._measured_or_stored()
        return self._statistics

    def _measured_or_stored(self) -> dict[str, Any]:
        stored = self.dataset.statistics
        if stored is not None and self.transform_name == "evla":
            kinds: list[str] = [key for key in ("action", "proprio") if key in stored]
            return {**stored, **{key: settle(stored[key]) for key in kinds}}
        found = self._survey
        action = found.action.rows.statistics("action")
        action["mask"] = self.action_mask
        result: dict[str, Any] = {"action": settle(action)}
        if found.proprio.everywhere:
            result["proprio"] = settle(found.proprio.rows.statistics("proprio"))
        counts = {"num_transitions": found.action.rows.count, "num_trajectories": found.episodes}
        return {**result, **counts}

    def numbers(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
        """Return all actions to learn [N, D] and the proprio of all steps [M, P] (None without).

        Of a dataset of very many steps they are a part, evenly spread.
        """
        found = self._survey
        proprio = found.proprio.rows.rows() if found.proprio.everywhere else None
        return found.action.rows.rows(), proprio

    def __getstate__(self) -> dict[str, Any]:
        """Leave what only the start of a run needs out of what worker processes are sent."""
        self.statistics()
        return {**self.__dict__, "_survey": self._survey.for_workers()}

    def _check_features(self) -> None:
        features = self.dataset.features
        if not features.action_dim and not self._transform.open_x:
            names = ", ".join(sorted(features.steps))
            raise TrainingDataError(f"dataset {self.name!r} has no `action`; its columns: {names}")
