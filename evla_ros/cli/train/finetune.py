# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train finetune`: phase 2, actions from RLDS datasets."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.embodiment import Embodiment

EXAMPLES = """examples:
  evla train finetune --dataset datasets/my_robot
  evla train finetune --dataset datasets/my_robot --start checkpoints/tabletop_arm
  evla train finetune --dataset datasets/my_robot --dataset datasets/simulated:0.5 seed=1
  evla train finetune --dataset datasets/my_robot --start evla-1b lora.rank=32 --adapters-only
  evla train finetune outputs/my_robot --resume
  evla train finetune config/training/nano_tabletop.yaml output=outputs/run optimizer.steps=500
  torchrun --nproc-per-node 2 -m evla_ros.training.train --dataset datasets/my_robot

The robot that is stored with the dataset decides chunk, cameras and proprioception. Without
output=DIR the run lies in outputs/, under the dataset's name. config/training/my_robot.yaml is a
file with the settings that are changed most often, commented."""


@dataclass(frozen=True)
class Options:
    """What is learned from, what the network begins with, and settings that differ."""

    words: Annotated[
        tuple[str, ...],
        Option(
            "a YAML file, or with --resume the run folder; then settings to change",
            "CONFIG|RUN key.sub=value",
            positional=True,
            unset="none",
        ),
    ] = ()
    dataset: Annotated[
        tuple[str, ...],
        Option(
            "an RLDS dataset; :WEIGHT lets it count more or less; again for each further one",
            "DIR[:WEIGHT]",
            unset="those of the file",
            repeated=True,
        ),
    ] = ()
    start: Annotated[
        str, Option("begin with these weights", "CHECKPOINT", unset="random ones, or the file's")
    ] = ""
    adapters_only: Annotated[
        bool,
        Option("save adapters alone, to be loaded on --start (needs lora.rank=N)"),
    ] = False
    resume: Annotated[bool, Option("go on where a stopped or killed run was")] = False
    threads: Annotated[
        int, Option("CPU threads", "T", least=0, unset="all or one, as measured")
    ] = 0


def run(options: Options) -> int:
    """Train; print the folder of the run."""
    import torch

    from evla_ros.training.command_line import Request, requested_config
    from evla_ros.training.train import train

    if options.threads:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)  # for worker processes too
        torch.set_num_threads(options.threads)
    words = options.words
    if options.adapters_only:
        words = (*words, "lora.adapters_only=true")
    request = Request(words, options.dataset, options.start, options.resume)
    config = requested_config(request)
    print(train(config, resume=options.resume, world_of=_world_of))
    return 0


def _world_of(robot: Embodiment) -> str:
    """Return the simulated world of a robot; empty when it has none."""
    from evla_ros.sim.description import WORLDS, check_embodiment
    from evla_ros.sim.errors import SimError

    for world in WORLDS.values():
        if world.embodiment == robot.name:
            try:
                check_embodiment(world, robot)
            except SimError:
                continue
            return world.name
    return ""
