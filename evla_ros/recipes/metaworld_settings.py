# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sizes of the recipe for Meta-World, and where its stages leave their results."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from evla_ros.options import Option
from evla_ros.shared_files import training_config


@dataclass(frozen=True)
class MetaWorldRecipe:
    """The sizes of the recipe's stages, and the folder of everything."""

    folder: Annotated[
        Path,
        Option(
            "folder of the recipe: data/, vision/, run/, score/", positional=True, flag="output"
        ),
    ]
    config: Annotated[
        Path, Option("of the trainings", "YAML", unset="the shipped nano_metaworld")
    ] = field(default_factory=lambda: training_config("nano_metaworld"))
    tasks: Annotated[
        tuple[str, ...], Option("such as reach-v3, or a group", "TASK", unset="all 50")
    ] = ()
    demonstrations: Annotated[int, Option("of the scripted expert, per task", "N", least=1)] = 50
    noise: Annotated[
        float, Option("largest execution noise of the expert, in steps; labels are clean", least=0)
    ] = 0.3
    vision_steps: Annotated[
        int, Option("of the encoder, which learns where things are; 0: none", "N", least=0)
    ] = 4000
    steps: Annotated[int, Option("of the training of everything", "N", least=1)] = 44_000
    rounds: Annotated[
        int,
        Option("of visiting and refining (DAgger); published rows have none", "N", least=0),
    ] = 0
    round_episodes: Annotated[int, Option("to visit in a round, per task", "N", least=1)] = 10
    round_steps: Annotated[int, Option("of a round's training", "N", least=1)] = 6000
    score_episodes: Annotated[int, Option("to score, per task; 0: none", "N", least=0)] = 10
    score_seed: Annotated[
        int, Option("of the first scored episode", "S", least=0, most=999_999)
    ] = 1000
    score_steps: Annotated[int, Option("of a scored episode, at most", "N", least=1, most=500)] = (
        500
    )
    processes: Annotated[int, Option("at work", "P", least=1, unset="one per core")] = (
        os.cpu_count() or 1
    )

    @property
    def data(self) -> Path:
        """The dataset of demonstrations."""
        return self.folder / "data" / "metaworld_demos"

    @property
    def vision(self) -> Path:
        """The pretrained encoder."""
        return self.folder / "vision" / "vision.safetensors"

    def visited(self, round_: int) -> Path:
        """Return the dataset of a round: states the policy got into, with the expert's answers."""
        return self.folder / "data" / f"metaworld_round_{round_}"

    def run(self, round_: int) -> Path:
        """Return the folder of the first training (round 0), or of a round's."""
        return self.folder / (f"round_{round_}" if round_ else "run")

    @property
    def score(self) -> Path:
        """The folder of the score of the last round."""
        return self.folder / (f"score_{self.rounds}" if self.rounds else "score")

    def checkpoint(self, round_: int) -> Path:
        """Return a training's best checkpoint, or its last if nothing was held out."""
        best = self.run(round_) / "best"
        return best if best.is_dir() else best.with_name("last")
