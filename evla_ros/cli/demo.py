# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla demo`: the main job end to end, on this machine, over real ROS 2."""

from __future__ import annotations

import argparse
from pathlib import Path

from evla_ros.errors import EvlaError

EXAMPLES = """examples:
  evla demo
  evla demo --world humanoid_upper_body --tasks lift_tray hand_over
  evla demo --checkpoint my_checkpoint --video demo.mp4

Starts the simulated robot and the policy node from the files in config/params, as
bringup.launch.py does. Exit code 0: every task was solved."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--world", default="tabletop_arm", help="tabletop_arm (default) or humanoid_upper_body"
    )
    parser.add_argument(
        "--tasks", nargs="+", default=[], metavar="FAMILY", help="task families, one episode each"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first episode (default: 0)")
    parser.add_argument(
        "--checkpoint", default="", metavar="DIR", help="EVLA checkpoint (default: the shipped one)"
    )
    parser.add_argument(
        "--rehearsed", action="store_true", help="no network: follow the scripted expert's path"
    )
    parser.add_argument(
        "--video", type=Path, default=None, help="MP4 to write (default: outputs/demo_<world>.mp4)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Play; 0 when every task was solved, 1 when not."""
    from evla_ros.embodiment import load_embodiment
    from evla_ros.policy.shipped import shipped_checkpoint
    from evla_ros.sim.description import describe

    describe(arguments.world)  # an unknown world is refused before anything starts
    try:
        from evla_ros.demo.show import show
    except ModuleNotFoundError as error:
        raise EvlaError(
            f"the demo needs ROS 2, the built interfaces and the simulator ({error}); "
            "run `make build` and `. ./env.sh`"
        ) from error
    if arguments.checkpoint and arguments.rehearsed:
        raise EvlaError("--checkpoint and --rehearsed exclude each other; leave one out")
    shipped = shipped_checkpoint(load_embodiment(arguments.world))
    checkpoint = "" if arguments.rehearsed else arguments.checkpoint or str(shipped or "")
    video = arguments.video or Path("outputs") / f"demo_{arguments.world}.mp4"
    solved = show(arguments.world, arguments.tasks, arguments.seed, checkpoint, Path(video))
    return 0 if solved else 1
