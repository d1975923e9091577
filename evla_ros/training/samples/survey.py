# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One look at every episode of a split: what can be sampled, the numbers, texts and cameras.

Its memory grows with the episodes by some bytes each, and with their steps not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.bounded_rows import BoundedRows
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.sampled_steps import SampledSteps
from evla_ros.training.samples.standardize import StandardEpisode
from evla_ros.training.samples.taught import sampled_steps, taught_actions


@dataclass
class Numbers:
    """The actions or states of a split.

    Attributes:
        rows: What the statistics are made of.
        widths: Numbers of a step -> the first episode that has so many.
        without: The first episode that has none, or None.
        bad: Where the first number that is not finite stands: episode, step, column, value.
    """

    rows: BoundedRows = field(default_factory=BoundedRows)
    widths: dict[int, int] = field(default_factory=dict)
    without: int | None = None
    bad: tuple[int, int, int, float] | None = None

    @property
    def everywhere(self) -> bool:
        """Whether every episode has such numbers, and as many of them."""
        return self.without is None and len(self.widths) == 1

    def add(
        self, index: int, values: npt.NDArray[np.float32] | None, rows: npt.NDArray[np.float32]
    ) -> None:
        """Take the numbers of an episode, [T, N], and those of them that statistics are made of."""
        if values is None:
            self.without = index if self.without is None else self.without
            return
        self.widths.setdefault(values.shape[1], index)
        if self.bad is None and not np.isfinite(values).all():
            step, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
            self.bad = (index, step, column, float(values[step, column]))
        if len(self.widths) == 1 and self.bad is None:
            self.rows.add(rows)

    def check(self, width: int, what: str, where: str) -> None:
        """Refuse numbers of another width, or that are not finite."""
        if self.without is not None:
            raise TrainingDataError(
                f"{where}, episode {self.without} has no `{what}`, the model takes {width} numbers;"
                " model.proprio=false reads none"
            )
        for found, index in self.widths.items():
            if found != width:
                fix = "; model.proprio=false reads none" if what == "state" else ""
                raise TrainingDataError(
                    f"{where}, episode {index}: {what} has {found} numbers a step, the model takes "
                    f"{width}{fix}"
                )
        if self.bad is not None:
            index, step, column, value = self.bad
            raise TrainingDataError(
                f"{where}, episode {index}: {what} number {column} at step {step} is {value}; mend "
                "the dataset (`evla dataset doctor`) before training"
            )


@dataclass
class Survey:
    """What `survey` found.

    Attributes:
        steps: The samples by number.
        episodes: Episodes of the split.
        unlabelled: How many of them have no instruction.
        idle: How many steps the transform leaves out of labelled episodes.
        instructions: All texts, counterfactual ones included.
        cameras: The sets of cameras -> the first episode that has them.
        jumps: Steps at which an angle changes by more than half a turn.
    """

    steps: SampledSteps
    episodes: int
    unlabelled: int = 0
    idle: int = 0
    instructions: set[str] = field(default_factory=set)
    cameras: dict[tuple[str, ...], int] = field(default_factory=dict)
    action: Numbers = field(default_factory=Numbers)
    proprio: Numbers = field(default_factory=Numbers)
    action_width: int = 0
    jumps: int = 0

    def lacking(self, camera: str) -> int | None:
        """Return the first episode without a camera, or None."""
        return next((i for names, i in self.cameras.items() if camera not in names), None)

    def cameras_of(self, index: int) -> tuple[str, ...]:
        """Return the cameras of an episode that `lacking` named."""
        return next(names for names, first in self.cameras.items() if first == index)

    def why(self) -> str:
        """Return why there may be nothing to sample."""
        if self.unlabelled:
            return (
                f"{self.unlabelled} of its {self.episodes} episodes have no instruction; label them"
            )
        return "its episodes are too short, or the robot rests in all of them"

    def notes(self, where: str) -> list[str]:
        """Return sentences on what was left out, and on what may be wrong."""
        found = []
        if self.unlabelled:
            found.append(
                f"{where}: {self.unlabelled} of {self.episodes} episodes have no instruction and "
                "are left out"
            )
        if self.idle:
            found.append(f"{where}: {self.idle} steps at which the robot rests are left out")
        if self.jumps:
            found.append(
                f"{where}: an angle jumps by more than half a turn at {self.jumps} steps, where it "
                "passes from 180 to -180 degrees; transform: bridge takes differences on the circle"
            )
        return found

    def for_workers(self) -> Survey:
        """Return a copy without what only the start of a run needs."""
        small = Survey(self.steps, self.episodes, action_width=self.action_width)
        return replace(small, unlabelled=self.unlabelled, cameras=self.cameras)


def survey(
    name: str, split: str, episode: Callable[[int], StandardEpisode], episodes: int
) -> Survey:
    """Look at every episode of a split.

    Args:
        name: Name of the dataset, for messages.
        split: Name of the split.
        episode: Returns an episode by number.
        episodes: How many there are.

    Raises:
        DatasetError: An episode cannot be read; names it.
    """
    steps = SampledSteps.Builder()
    found = Survey(steps.result(), episodes)
    for index in range(episodes):
        try:
            one = episode(index)
            _add(found, steps, index, one)
        except DatasetError as error:
            where = f"dataset {name!r}, split {split!r}, episode {index}"
            text = str(error)
            raise type(error)(text if where in text else f"{where}: {text}") from error
    found.steps = steps.result()
    return found


def _add(found: Survey, steps: SampledSteps.Builder, index: int, one: StandardEpisode) -> None:
    labelled = _texts(found.instructions, one)
    sampled = sampled_steps(one) if labelled else np.zeros(0, dtype=np.int32)
    steps.add(one.first, sampled)
    found.unlabelled += not labelled
    if one.learned is not None and labelled:
        found.idle += int((~one.learned[one.first : one.last]).sum())
    found.cameras.setdefault(tuple(sorted(one.cameras)), index)
    found.action_width = found.action_width or one.action.shape[1]
    learned = slice(one.first, one.last)
    found.action.add(index, one.action, taught_actions(one))
    proprio = one.proprio
    found.proprio.add(index, proprio, one.action[:0] if proprio is None else proprio[learned])
    if one.differences:
        found.jumps += int((np.abs(one.action[learned, 3:6]) > np.pi).any(axis=1).sum())


def _texts(known: set[str], one: StandardEpisode) -> bool:
    """Take the instructions of an episode; returns whether it has any."""
    texts = set(one.episode.instructions)
    own = {text for text in texts if str(text).strip()}
    known.update(own)
    for name, column in one.episode.columns.items():
        if name.startswith("relabel_instruction_"):
            known.update(text for text in map(str, set(column)) if text.strip())
    return bool(own)
