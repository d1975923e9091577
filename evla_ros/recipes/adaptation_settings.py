# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which network is moved to which robot with which demonstrations, and where its data lie."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.errors import nearest
from evla_ros.options import Option
from evla_ros.recipes.simulated_data.settings import Via
from evla_ros.shared_files import training_config
from evla_ros.training.errors import TrainingError


@dataclass(frozen=True)
class Adaptation:
    """Which network is moved to which robot, with which demonstrations."""

    folder: Annotated[Path, Option("folder of the experiment", positional=True, flag="output")]
    changes: Annotated[
        tuple[str, ...],
        Option("settings to change in every run", "key.sub=value", positional=True, unset="none"),
    ] = ()
    start: Annotated[str, Option("to move", "CHECKPOINT", unset="none: only from scratch")] = ""
    config: Annotated[
        Path, Option("of the trainings", "YAML", unset="the shipped nano_humanoid")
    ] = field(default_factory=lambda: training_config("nano_humanoid"))
    world: Annotated[str, Option("the simulated world of the robot")] = "humanoid_upper_body"
    tasks: Annotated[
        tuple[str, ...], Option("task families; three of them need both arms", "TASK")
    ] = ("lift", "hand_over", "lift_tray", "lift_both")
    demonstrations: Annotated[tuple[int, ...], Option("per task", "N", least=1)] = (10, 25, 50)
    episodes: Annotated[int, Option("to score, per task", "N", least=1)] = 20
    relabels: Annotated[
        int,
        Option(
            "other instructions answered beside each demonstration; 0: record bags", "R", least=0
        ),
    ] = 2
    corrected: Annotated[
        int,
        Option("episodes a task of every network that the expert corrects (DAgger)", "N", least=0),
    ] = 0
    corrected_steps: Annotated[
        int, Option("of the training that goes on with them", "S", least=1)
    ] = 1000
    from_scratch: Annotated[
        Literal["all", "largest", "none"],
        Option("datasets that a fresh network learns from too, for comparison"),
    ] = "all"
    via: Annotated[
        Via,
        Option(
            "over the ROS graph, or without ROS; auto: ROS where it is there", flag="record_via"
        ),
    ] = "lockstep"
    domain: Annotated[int, Option("ROS domain of the first recorder", "D", least=0, most=200)] = 70
    processes: Annotated[int, Option("at work", "P", least=1, unset="one per core")] = (
        os.cpu_count() or 1
    )

    @property
    def networks(self) -> list[tuple[str, str, int]]:
        """Name, checkpoint it begins with ('': none) and demonstrations of every network."""
        fresh = {"all": self.demonstrations, "largest": self.demonstrations[-1:], "none": ()}
        moved = self.demonstrations if self.start else ()
        return [
            *(("fine-tuned", self.start, count) for count in moved),
            *(("from scratch", "", count) for count in fresh[self.from_scratch]),
        ]

    def dataset(self, count: int) -> Path:
        """Return the dataset of `count` demonstrations a task."""
        return self.folder / "data" / f"{self.world}_{count}"

    def visited(self, name: str) -> Path:
        """Return the dataset of what a network did and the expert would have done."""
        return self.folder / "data" / f"{self.world}_visited_{name.replace('-', '_')}"


def check(asked: Adaptation) -> None:
    """Raise TrainingError for an unknown task, a missing checkpoint, and nothing to train."""
    from evla_ros.sim.worlds import make_suite

    known = make_suite(asked.world).grammar.families
    for task in asked.tasks:
        if task not in known:
            raise TrainingError(f"--tasks {task}: no family of that world; {nearest(task, known)}")
    if max(asked.demonstrations) * len(asked.tasks) < 2:
        raise TrainingError(
            "--demonstrations 1 of one task: nothing is left to score on; ask for 2 or more"
        )
    if not asked.start and asked.from_scratch == "none":
        raise TrainingError("--from-scratch none: nothing to train; name a checkpoint with --start")
    if asked.start and not Path(asked.start).is_dir():
        raise TrainingError(f"--start {asked.start}: no such checkpoint folder")
