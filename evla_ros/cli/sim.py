# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla sim`: run the simulated robot as a ROS 2 node, or list its tasks."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Annotated

from evla_ros.errors import EvlaError
from evla_ros.options import Option

EXAMPLES = """examples:
  evla sim
  evla sim --world tabletop_arm --task lift --seed 3 --image-size 128
  evla sim --own-clock --ros-args -r __ns:=/robot1
  evla sim --list-tasks
  evla call sim reset stack --seed 5

Ctrl-C ends it. Everything it can be told is in config/params/sim.yaml."""


@dataclass(frozen=True)
class Options:
    """Parameters of the node."""

    world: Annotated[str, Option("the simulated world")] = "tabletop_arm"
    task: Annotated[str, Option("task family or instruction", unset="drawn by the seed")] = ""
    seed: Annotated[int, Option("of the first episode; -1 draws one", least=-1)] = 0
    image_size: Annotated[int, Option("of the cameras", "PX", least=1)] = 224
    own_clock: Annotated[bool, Option("publish /clock; others run with use_sim_time")] = False
    lockstep: Annotated[bool, Option("wait for goals at every tick; implies --own-clock")] = False
    speed: Annotated[float, Option("simulated seconds per second", above=0)] = 1.0
    list_tasks: Annotated[bool, Option("print every instruction of the world and leave")] = False
    ros_args: Annotated[
        tuple[str, ...],
        Option("what follows goes to ROS 2 as it is", "...", rest=True, unset="nothing"),
    ] = ()


def run(options: Options) -> int:
    """Run the node until Ctrl-C."""
    if options.list_tasks:
        return _list_tasks(options.world)
    for module in ("rclpy", "evla_ros.msg"):
        if importlib.util.find_spec(module) is None:
            raise EvlaError(
                "no ROS 2 here: run `make build` and `. ./env.sh`, or source your workspace"
            )
    from evla_ros.ros.node_arguments import parameter_arguments
    from evla_ros.ros.simulator.main import main

    parameters: dict[str, str | int | float | bool] = {
        "world": options.world,
        "task": options.task,
        "seed": options.seed,
        "image_size": options.image_size,
        "own_clock": options.own_clock or options.lockstep,
        "lockstep": options.lockstep,
        "speed": options.speed,
    }
    argv = ["evla", "--ros-args", *parameter_arguments(parameters), *options.ros_args]
    return int(main(argv))


def _list_tasks(world: str) -> int:
    from evla_ros.sim.worlds import make_suite

    grammar = make_suite(world).grammar
    for task in grammar.tasks:
        held = "  (held out)" if task.key in grammar.held_out else ""
        print(f"{task.family:<16}{task.instruction}{held}")
    return 0
