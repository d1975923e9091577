# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train captions`: conversations about simulated scenes, for phase 1 of a small model."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.cli.next_command import say_next
from evla_ros.options import Option

EXAMPLES = "example: evla train captions outputs/captions --scenes 500"


@dataclass(frozen=True)
class Options:
    """How many scenes of which world."""

    output: Annotated[
        Path, Option("a new folder for captions.json and its pictures", positional=True)
    ]
    world: Annotated[str, Option("the simulated world")] = "tabletop_arm"
    scenes: Annotated[int, Option("to describe", "N", least=1)] = 1000
    seed: Annotated[int, Option("of the first scene", "S", least=0)] = 3_000_000
    image_size: Annotated[int, Option("of the camera", "PX", least=1)] = 128


def run(options: Options) -> int:
    """Write, and print the JSON's path."""
    from evla_ros.recipes.simulated_data.captions import write_captions
    from evla_ros.sim.worlds import make_world

    world = make_world(options.world, image_size=options.image_size)
    path = write_captions(world, options.output, options.scenes, options.seed)
    print(path, flush=True)
    say_next("evla", "train", "pretrain", "--data", path, file=sys.stderr)
    return 0
