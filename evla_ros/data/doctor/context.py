# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the checks know about a dataset besides its episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.doctor.arms import ArmColumns, arms_of, guessed_arms
from evla_ros.data.doctor.summary import EpisodeSummary
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import Embodiment, action_layout, parse_embodiment, proprio_layout
from evla_ros.embodiment.streams import streams_of
from evla_ros.errors import EvlaError

GUESSED_NAMES = ("dx", "dy", "dz", "droll", "dpitch", "dyaw", "gripper")


@dataclass(frozen=True)
class SetContext:
    """What is known about a dataset; `embodiment` is None for one that was recorded elsewhere."""

    name: str
    action_names: tuple[str, ...]
    arms: tuple[ArmColumns, ...]
    embodiment: Embodiment | None = None
    rate_hz: float | None = None
    statistics: dict[str, Any] | None = None
    streams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def stream(self, column: str, index: int) -> str:
        """Return the name of entry `index` of a step column: `age_s of camera:wrist (TOPIC)`."""
        names = self.streams.get(column, ())
        if index >= len(names):
            return column if index == 0 and not names else f"{column}[{index}]"
        topic = self._topic(names[index])
        return f"{column} of {names[index]}" + (f" ({topic})" if topic else "")

    def _topic(self, name: str) -> str:
        streams = () if self.embodiment is None else streams_of(self.embodiment)
        return next((stream.topic for stream in streams if str(stream.key) == name), "")

    def where(self, key: str) -> str:
        """Return the feature's name, with the topic it was recorded from if that is known."""
        camera = key.removeprefix("image_")
        if self.embodiment is not None and camera in self.embodiment.cameras:
            return f"{key} ({self.embodiment.cameras[camera].topic})"
        return key

    def steps(self, count: float) -> str:
        """Return `12 steps (1.2 s)`, or without the seconds when the rate is unknown."""
        seconds = f" ({count / self.rate_hz:.1f} s)" if self.rate_hz else ""
        return f"{count:.0f} steps{seconds}"


def context_of(dataset: RldsDataset, episodes: Sequence[EpisodeSummary]) -> SetContext:
    """Return the context of a dataset, from the embodiment beside it or guessed from the sizes."""
    embodiment = _embodiment(dataset)
    dim = episodes[0].action.shape[1] if episodes else dataset.features.action_dim
    states = [episode.state for episode in episodes if len(episode)]
    names: tuple[str, ...] = tuple(f"action[{index}]" for index in range(dim))
    arms: tuple[ArmColumns, ...] = ()
    if embodiment is not None and action_layout(embodiment).size == dim:
        names, arms = action_layout(embodiment).names, arms_of(embodiment)
        if not fits_proprio(embodiment, states):
            arms = tuple(ArmColumns(arm.name, arm.action) for arm in arms)
    if not arms:
        arms = guessed_arms(dim, states)
        names = GUESSED_NAMES if arms else names
    rate = float(embodiment.rate_hz) if embodiment is not None else _rate(episodes)
    return SetContext(
        dataset.name, names, arms, embodiment, rate, _statistics(dataset), _streams(dataset)
    )


def fits_proprio(embodiment: Embodiment, states: Sequence[npt.NDArray[np.float32]]) -> bool:
    """Return whether the states [T, P] have the numbers that the embodiment's proprio lists."""
    size = proprio_layout(embodiment).size
    return all(state.shape[1] == size for state in states)


def _embodiment(dataset: RldsDataset) -> Embodiment | None:
    if not dataset.embodiment_text:
        return None
    try:
        return parse_embodiment(dataset.embodiment_text, source=str(dataset.path))
    except EvlaError:
        return None


def _streams(dataset: RldsDataset) -> dict[str, tuple[str, ...]]:
    """Read the names of a column's entries from its description: `What it is: first, second`."""
    found = {}
    for key, feature in dataset.features.steps.items():
        names = tuple(feature.description.rpartition(": ")[2].split(", "))
        if len(feature.shape) == 1 and len(names) == feature.values_per_step:
            found[key] = names
    return found


def _statistics(dataset: RldsDataset) -> dict[str, Any] | None:
    try:
        return dataset.statistics
    except EvlaError:
        return None


def _rate(episodes: Sequence[EpisodeSummary]) -> float | None:
    ticks = [np.diff(e.columns["stamp_ns"]) for e in episodes if "stamp_ns" in e.columns]
    if not ticks or not sum(map(len, ticks)):
        return None
    median = float(np.median(np.concatenate(ticks)))
    return 1e9 / median if median > 0 else None
