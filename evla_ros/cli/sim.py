# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla sim`: run the simulated robot as a ROS 2 node, or list its tasks."""

from __future__ import annotations

import argparse
import importlib.util

from evla_ros.errors import EvlaError

_EXAMPLES = """examples:
  evla sim
  evla sim --world tabletop_arm --task lift --seed 3 --image-size 128
  evla sim --own-clock --ros-args -r __ns:=/robot1
  evla sim --list-tasks
  ros2 service call /sim/reset evla_ros/srv/ResetSim "{task: stack, seed: 5}"

Ctrl-C ends it. Everything it can be told is in config/params/sim.yaml."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; each is a parameter of the node."""
    add = parser.add_argument
    add("--world", default="tabletop_arm", help="the simulated world (default: tabletop_arm)")
    add("--task", default="", help="task family or instruction (default: drawn by the seed)")
    add("--seed", type=int, default=0, help="of the first episode; -1 draws one (default: 0)")
    add("--image-size", type=int, default=224, metavar="PX", help="of the cameras (default: 224)")
    add("--own-clock", action="store_true", help="publish /clock; others run with use_sim_time")
    add("--lockstep", action="store_true", help="wait for goals at every tick; implies --own-clock")
    add("--speed", type=float, default=1.0, help="simulated seconds per second (default: 1)")
    add("--list-tasks", action="store_true", help="print every instruction of the world and leave")
    add(
        "--ros-args", nargs=argparse.REMAINDER, default=[], metavar="...",
        help="what follows goes to ROS 2 as it is",
    )  # fmt: skip
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Run the node until Ctrl-C."""
    if arguments.list_tasks:
        return _list_tasks(arguments.world)
    for module in ("rclpy", "evla_ros.msg"):
        if importlib.util.find_spec(module) is None:
            raise EvlaError(
                "no ROS 2 here: run `make build` and `. ./env.sh`, or source your workspace"
            )
    from evla_ros.ros.sim_main import main

    values = {
        "world": arguments.world,
        "task": f"'{arguments.task}'",
        "seed": arguments.seed,
        "image_size": arguments.image_size,
        "own_clock": str(arguments.own_clock or arguments.lockstep).lower(),
        "lockstep": str(arguments.lockstep).lower(),
        "speed": float(arguments.speed),
    }
    words = ["evla", "--ros-args"]
    for name, value in values.items():
        words += ["-p", f"{name}:={value}"]
    return int(main([*words, *arguments.ros_args]))


def _list_tasks(world: str) -> int:
    from evla_ros.sim.worlds import make_suite

    grammar = make_suite(world).grammar
    for task in grammar.tasks:
        held = "  (held out)" if task.key in grammar.held_out else ""
        print(f"{task.family:<16}{task.instruction}{held}")
    return 0
