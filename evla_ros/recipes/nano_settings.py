# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sizes of the recipe of a small policy, and where its stages leave their results."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from evla_ros.options import Option
from evla_ros.recipes.simulated_data.settings import Via
from evla_ros.shared_files import training_config


@dataclass(frozen=True)
class Recipe:
    """The sizes of the recipe's stages, and the folder of everything."""

    folder: Annotated[
        Path,
        Option("folder of the recipe: bags/, data/, vision/, run/", positional=True, flag="output"),
    ]
    world: Annotated[str, Option("the simulated world")] = "tabletop_arm"
    config: Annotated[
        Path, Option("of the trainings", "YAML", unset="the shipped nano_tabletop")
    ] = field(default_factory=lambda: training_config("nano_tabletop"))
    recorded: Annotated[int, Option("bags; 0: none", "N", flag="record", least=0)] = 120
    via: Annotated[
        Via,
        Option(
            "over the ROS graph, or without ROS; auto: ROS where it is there", flag="record_via"
        ),
    ] = "auto"
    domain: Annotated[
        int,
        Option(
            "ROS domain of the first recorder; they hear this machine only", "D", least=0, most=200
        ),
    ] = 70
    recorded_weight: Annotated[
        float, Option("multiplies the size of the recorded dataset", "W", above=0)
    ] = 1.0
    collected: Annotated[int, Option("to collect", "N", flag="episodes", least=1)] = 2600
    vision_steps: Annotated[int, Option("of the encoders", "N", least=1)] = 3000
    steps: Annotated[
        int, Option("of the first training", "N", least=0, unset="0: the configuration's")
    ] = 0
    rounds: Annotated[int, Option("of visiting and refining", "N", least=0)] = 1
    round_episodes: Annotated[int, Option("to visit in a round", "N", least=1)] = 300
    round_steps: Annotated[int, Option("of a round's training", "N", least=1)] = 2400
    processes: Annotated[int, Option("at work", "P", least=1, unset="one per core")] = (
        os.cpu_count() or 1
    )

    @property
    def bags(self) -> Path:
        """Where the recorders write."""
        return self.folder / "bags"

    @property
    def recorded_data(self) -> Path:
        """The dataset made from the bags."""
        return self.folder / "data" / f"{self.world}_recorded"

    @property
    def collected_data(self) -> Path:
        """The dataset that is collected with counterfactual labels, without bags."""
        return self.folder / "data" / f"{self.world}_collected"

    @property
    def vision(self) -> Path:
        """The pretrained encoders."""
        return self.folder / "vision" / "vision.safetensors"

    def run(self, round_: int) -> Path:
        """Return the folder of the first training (round 0), or of a round's."""
        return self.folder / (f"round_{round_}" if round_ else "run")

    def visited_data(self, round_: int) -> Path:
        """Return the dataset of a round: states the policy got into, with the expert's answers."""
        return self.folder / "data" / f"{self.world}_round_{round_}"

    def checkpoint(self, round_: int) -> Path:
        """Return a training's best checkpoint, or its last if nothing was held out."""
        best = self.run(round_) / "best"
        return best if best.is_dir() else best.with_name("last")
