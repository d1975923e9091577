# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla record`: demonstrations into bags, from a robot's graph or unattended in simulation."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from evla_ros.errors import EvlaError
from evla_ros.options import Option
from evla_ros.sim.recording import Recording

EXAMPLES = """examples:
  evla record --embodiment my_robot.yaml --out recordings     the recorder node, until Ctrl-C
  evla record --world tabletop_arm --episodes 200             scripted expert, no ROS, all cores
  evla record --world tabletop_arm --episodes 20 --task lift --seed 1000 --out lifts
  evla record --world tabletop_arm --episodes 5 --ros         the same over topics and services

With --world every seed is one bag, marked success or failure by the simulator; the same command
resumes. Without it the recorder node runs: `evla call recorder start`, keep and discard, or
  ros2 service call /recorder/start std_srvs/srv/Trigger"""


@dataclass(frozen=True)
class Options:
    """What is recorded, and how."""

    recording: Recording = field(default_factory=Recording)
    ros: Annotated[bool, Option("with --world: through the real graph, in real time")] = False
    embodiment: Annotated[str, Option("without --world: file or name", "NAME_OR_FILE")] = (
        "tabletop_arm"
    )


def run(options: Options) -> int:
    """Record; 0 when every episode was recorded."""
    if not options.recording.world:
        return _run_node(options)
    if options.ros:
        through_graph(options.recording)
    else:
        from evla_ros.sim.recording import record_lockstep

        print(record_lockstep(options.recording))
    _say_next(options.recording.out)
    return 0


def _say_next(out: Path) -> None:
    from evla_ros.cli.next_command import say_next

    say_next("evla", "convert", out, "--out", "datasets")


def _run_node(options: Options) -> int:
    from evla_ros.embodiment import load_embodiment

    try:
        from evla_ros.ros.recorder.main import main
    except ImportError as error:
        raise EvlaError(
            f"the recorder node needs ROS 2 and the built interfaces ({error}); run `make build` "
            "and `. ./env.sh`, or record in simulation with --world"
        ) from error
    from evla_ros.ros.node_arguments import parameter_arguments

    load_embodiment(options.embodiment)  # else the node would wait unconfigured for ever
    parameters = {
        "embodiment": options.embodiment,
        "output": str(options.recording.out),
        "operator": options.recording.operator,
    }
    sys.argv = [sys.argv[0], "--ros-args", *parameter_arguments(parameters)]
    code = main()
    if code == 0:
        _say_next(options.recording.out)
    return code


def through_graph(recording: Recording) -> None:
    """Record over topics and services in real time; EvlaError where ROS 2 is not."""
    try:
        from evla_ros.ros.simulator.expert_sim import record_through_graph
    except ImportError as error:
        raise EvlaError(
            f"--ros needs ROS 2 and the built interfaces ({error}); run `make build` and "
            "`. ./env.sh`"
        ) from error
    print(record_through_graph(recording))
