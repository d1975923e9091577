# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train captions`: conversations about simulated scenes, for phase 1 of a small model."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("output", help="a new folder for captions.json and its pictures")
    add("--world", default="tabletop_arm", help="(default: tabletop_arm)")
    add("--scenes", type=int, default=1000, metavar="N", help="(default: 1000)")
    add("--seed", type=int, default=3_000_000, help="of the first scene (default: 3000000)")
    add("--image-size", type=int, default=128, metavar="PX", help="(default: 128)")
    parser.epilog = "example: evla train captions outputs/captions --scenes 500"


def run(arguments: argparse.Namespace) -> int:
    """Write, and print the JSON's path."""
    from evla_ros.sim.worlds import make_world
    from evla_ros.training.simulated.captions import write_captions

    world = make_world(arguments.world, image_size=arguments.image_size)
    print(write_captions(world, Path(arguments.output), arguments.scenes, arguments.seed))
    return 0
