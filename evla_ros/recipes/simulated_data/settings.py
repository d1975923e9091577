# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which simulated demonstrations are collected, and how each is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.options import Option

Via = Literal["auto", "ros", "lockstep"]  # how demonstrations are recorded as bags


@dataclass(frozen=True)
class CollectSettings:
    """How a demonstration is made.

    Attributes:
        relabels: other instructions that are answered at a labelled step.
        every: one step of so many is labelled.
        own: a labelled step also answers the own instruction, without noise from there on.
        one_style: labels move as the middle demonstrator does, not as the one of the episode.
        noise: largest noise of the executed actions, as a fraction of a step; labels are clean.
        max_ticks: length after which an episode is given up; None: the world's own limit.
        chunk: K of the labels.
        after_success: ticks that an episode goes on when its task is solved.
        cameras: those in whose pictures objects are found.
        relabel_families: task families of the other instructions; none: all.
    """

    relabels: Annotated[int, Option("other instructions per step", "R", least=0)] = 2
    every: Annotated[int, Option("one step of N is labelled", "N", least=1)] = 2
    own: Annotated[
        bool,
        Option("a labelled step also answers its own instruction: what follows it has no noise"),
    ] = False
    one_style: Annotated[
        bool,
        Option("labels have the same speed and heights in all episodes: no picture shows whose"),
    ] = False
    noise: Annotated[float, Option("largest execution noise, in steps", least=0)] = 0.5
    max_ticks: Annotated[
        int | None,
        Option(
            "length after which an episode is given up",
            "N",
            least=1,
            unset="what a task of the world may take",
        ),
    ] = None
    chunk: int = 8
    after_success: int = 3
    cameras: Annotated[tuple[str, ...], Option("in whose pictures things are found", "CAMERA")] = (
        "primary",
    )
    relabel_families: tuple[str, ...] = ()


@dataclass(frozen=True)
class CollectJob:
    """Which episodes: one per seed of a world, from `first_seed` on.

    Attributes:
        one_by_one: the families follow each other, each with its share of the episodes.
    """

    world: Annotated[str, Option("the simulated world")] = "tabletop_arm"
    episodes: Annotated[int, Option("to play", "N", least=1)] = 1000
    first_seed: Annotated[
        int, Option("of the first episode; evaluation uses small seeds", "S", least=0)
    ] = 1_000_000
    image_size: Annotated[int, Option("of the cameras", "PX", least=1)] = 128
    settings: CollectSettings = field(default_factory=CollectSettings)
    checkpoint: Annotated[
        str, Option("whose states to visit", "CHECKPOINT", flag="policy", unset="the expert's")
    ] = ""
    families: Annotated[
        tuple[str, ...],
        Option(
            "task families in turn, repeated ones more often",
            "FAMILY",
            unset="drawn by the seed; of metaworld all tasks, equally often",
        ),
    ] = ()
    one_by_one: bool = False

    @property
    def seeds(self) -> range:
        """The seeds of the episodes."""
        return range(self.first_seed, self.first_seed + self.episodes)

    def family(self, seed: int) -> str | None:
        """The family that the episode of this seed plays; None: the seed draws it."""
        count, number = len(self.families), seed - self.first_seed
        if not count:
            return None
        return self.families[number * count // self.episodes if self.one_by_one else number % count]


@dataclass(frozen=True)
class Collection:
    """A dataset to collect, by so many processes."""

    dataset: Annotated[
        Path, Option("the new dataset's folder; its last part is the name", positional=True)
    ]
    job: CollectJob = field(default_factory=CollectJob)
    workers: Annotated[int, Option("processes", "W", least=1)] = 1
