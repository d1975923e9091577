# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One split of one dataset, checked before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.statistics import column_statistics, default_mask
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.standardize import StandardEpisode, find_transform

MOST_EPISODES_CACHED = 4096


class Source:
    """The steps of a split that can be sampled, by number; episodes are parsed on demand."""

    def __init__(self, path: str | Path, split: str, transform: str = "auto") -> None:
        """Open the dataset.

        Raises TrainingDataError (or DatasetError) when it has no such split.
        """
        self.dataset = RldsDataset.open(path, cached_episodes=MOST_EPISODES_CACHED)
        self.name, self.split = self.dataset.name, split
        self._statistics: dict[str, Any] | None = None
        self._transform = find_transform(transform, self.name)
        if not self.dataset.splits.get(split):
            have = ", ".join(f"{k} ({n})" for k, n in self.dataset.splits.items()) or "none"
            raise TrainingDataError(
                f"dataset {self.name!r} has no episodes in split {split!r}; its splits: {have}"
            )
        self._check_features()
        steps = [sampled_steps(self.episode(i)) for i in range(self.dataset.splits[split])]
        self._steps = np.concatenate(steps)
        self._ends = np.cumsum([len(part) for part in steps], dtype=np.int64)
        if len(self) == 0:
            raise TrainingDataError(f"dataset {self.name!r}, split {split!r}, has no usable steps")

    def __len__(self) -> int:
        return int(self._ends[-1])

    @property
    def episode_count(self) -> int:
        """Episodes in the split."""
        return len(self._ends)

    def episode(self, index: int) -> StandardEpisode:
        """Return an episode in the trainer's terms."""
        return self._transform(self.dataset.episode(self.split, index))

    def locate(self, number: int) -> tuple[int, int]:
        """Return (episode, step in it) of sample `number`."""
        episode = int(np.searchsorted(self._ends, number, side="right"))
        return episode, int(self._steps[number])

    def check(self, action_dim: int, proprio_dim: int, cameras: Sequence[str]) -> None:
        """Look at every episode once: cameras, widths, finite numbers, instructions."""
        for index in range(self.episode_count):
            episode = self.episode(index)
            where = f"dataset {self.name!r}, split {self.split!r}, episode {index}"
            missing = [camera for camera in cameras if camera not in episode.cameras]
            if missing:
                have = ", ".join(episode.cameras) or "none"
                raise TrainingDataError(f"{where} lacks camera {missing[0]!r}; it has: {have}")
            _check_numbers(episode.action, action_dim, "action", where)
            if proprio_dim:
                if episode.proprio is None:
                    raise TrainingDataError(
                        f"{where} has no `state`, the model takes {proprio_dim}"
                    )
                _check_numbers(episode.proprio, proprio_dim, "state", where)
            if not any(str(words).strip() for words in episode.episode.instructions):
                raise TrainingDataError(f"{where} has no instruction; label it or leave it out")

    def statistics(self) -> dict[str, Any]:
        """Return the statistics of the standardised actions and proprio (the file's own if any).

        A dataset whose actions are transformed is measured here, over this split.
        """
        if self._statistics is None:
            self._statistics = self._measured_or_stored()
        return self._statistics

    def _measured_or_stored(self) -> dict[str, Any]:
        stored = self.dataset.statistics
        if stored is not None and "evla" in self._transform.__name__:
            return stored
        actions, proprios = self.numbers()
        action = column_statistics(actions, "action")
        action["mask"] = default_mask(actions.shape[1])
        result: dict[str, Any] = {"action": action}
        if proprios is not None:
            result["proprio"] = column_statistics(proprios, "proprio")
        counts = {"num_transitions": len(actions), "num_trajectories": self.episode_count}
        return {**result, **counts}

    def numbers(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
        """Return all actions to learn [N, D] and the proprio of all steps [M, P] (None without)."""
        episodes = [self.episode(i) for i in range(self.episode_count)]
        actions = np.concatenate([taught_actions(e) for e in episodes])
        proprios = [e.proprio[e.first : e.last] for e in episodes if e.proprio is not None]
        return actions, np.concatenate(proprios) if len(proprios) == len(episodes) else None

    def _check_features(self) -> None:
        features = self.dataset.features
        if not features.action_dim:
            names = ", ".join(sorted(features.steps))
            raise TrainingDataError(f"dataset {self.name!r} has no `action`; its columns: {names}")


def sampled_steps(episode: StandardEpisode) -> npt.NDArray[np.int32]:
    """Return the steps to learn from: those with counterfactual answers; all where none has."""
    steps = np.arange(episode.first, episode.last, dtype=np.int32)
    labelled = episode.episode.columns.get("relabel_steps_0")
    chosen = steps[:0] if labelled is None else steps[np.asarray(labelled)[steps] > 0]
    return chosen if len(chosen) else steps


def taught_actions(episode: StandardEpisode) -> npt.NDArray[np.float32]:
    """Return the actions [N, D] that training is asked for: the recorded ones, step by step.

    Where a policy only visited (`follows_instruction` is False) the first steps of the expert's
    answers: what that policy never does must not be scaled away.
    """
    columns = episode.episode.columns
    follows = episode.episode.metadata.get("follows_instruction", True)
    if follows or not np.any(columns.get("relabel_steps_0", 0)):
        return episode.action[episode.first : episode.last]
    answers = [columns["relabel_actions_0"][step][0] for step in sampled_steps(episode)]
    return np.asarray(answers, dtype=np.float32)


def _check_numbers(values: npt.NDArray[np.float32], width: int, what: str, where: str) -> None:
    if values.ndim != 2 or values.shape[1] != width:
        raise TrainingDataError(
            f"{where}: {what} has shape {list(values.shape)}, the model takes "
            f"{width} numbers a step"
        )
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        step, column = (int(i) for i in bad[0])
        raise TrainingDataError(
            f"{where}: {what} number {column} at step {step} is {values[step, column]}; mend the "
            "dataset (`evla dataset doctor`) before training"
        )
