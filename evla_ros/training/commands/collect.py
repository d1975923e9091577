# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train collect`: simulated demonstrations with counterfactual labels, as RLDS."""

from __future__ import annotations

import argparse
from pathlib import Path

from evla_ros.training.commands.least_values import check_least

_EXAMPLES = """examples:
  evla train collect outputs/data/tabletop_nano --episodes 1000 --workers 2
  evla train collect outputs/data/tabletop_second --policy outputs/run/best --first-seed 2000000
  evla train collect outputs/data/tabletop_hard --families stack,close --first-seed 3000000

Every second step (--every) also says what the expert would do for other instructions, rolled out
from a copy of that very state. With --policy the states are the policy's and the expert only
answers (DAgger)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("dataset", help="the new dataset's folder; its last part is the name")
    add("--world", default="tabletop_arm", help="the simulated world (default: tabletop_arm)")
    add("--episodes", type=int, default=1000, metavar="N", help="(default: 1000)")
    add(
        "--first-seed", type=int, default=1_000_000, metavar="S", help="evaluation uses small seeds"
    )
    add(
        "--relabels",
        type=int,
        default=2,
        metavar="R",
        help="other instructions per step (default: 2)",
    )
    add("--every", type=int, default=2, metavar="N", help="one step of N is labelled (default: 2)")
    add("--noise", type=float, default=0.5, help="largest execution noise, in steps (default: 0.5)")
    add(
        "--max-ticks",
        type=int,
        default=150,
        metavar="N",
        help="length after which an episode is given up (default: 150)",
    )
    add("--image-size", type=int, default=128, metavar="PX", help="(default: 128)")
    add(
        "--policy",
        default="",
        metavar="CHECKPOINT",
        help="whose states to visit (default: the expert's)",
    )
    add(
        "--families",
        default="",
        metavar="A,B",
        help="task families in turn, repeated ones more often (default: drawn by the seed)",
    )
    add("--workers", type=int, default=1, metavar="W", help="processes (default: 1)")
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Collect and print the dataset's path."""
    from evla_ros.training.simulated.collect import CollectSettings
    from evla_ros.training.simulated.dataset import CollectJob, collect_dataset

    check_least(
        arguments,
        {"episodes": 1, "first_seed": 0, "relabels": 0, "every": 1, "noise": 0, "max_ticks": 1,
         "workers": 1},
    )  # fmt: skip
    settings = CollectSettings(
        relabels=arguments.relabels,
        every=arguments.every,
        noise=arguments.noise,
        max_ticks=arguments.max_ticks,
    )
    job = CollectJob(
        arguments.world,
        arguments.episodes,
        arguments.first_seed,
        arguments.image_size,
        settings,
        arguments.policy,
        tuple(filter(None, arguments.families.split(","))),
    )
    folder = Path(arguments.dataset)
    print(collect_dataset(folder.parent, folder.name, job, arguments.workers))
    return 0
