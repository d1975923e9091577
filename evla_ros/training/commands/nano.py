# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train nano`: the whole recipe of `evla-nano`, from nothing to a checkpoint."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from evla_ros.training.commands.least_values import check_least
from evla_ros.training.errors import TrainingError

_EXAMPLES = """examples:
  evla train nano outputs/nano
  evla train nano outputs/short --record 20 --episodes 100 --vision-steps 100 --steps 300

Stages: record demonstrations as bags (scripted expert, simulated robot, recorder), convert them,
collect demonstrations with counterfactual labels beside them, pretrain the encoders, train the
policy on both datasets; then rounds of visiting the policy's own states, answered by the expert,
and training on. Each is skipped when its result is there; a killed one goes on."""
_ROOT = Path(__file__).parents[3]
_CONFIG = _ROOT / "config" / "training" / "nano_tabletop.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("output", help="folder of the recipe: bags/, data/, vision/, run/")
    add("--config", default=str(_CONFIG), help="of the trainings")
    add("--record", type=int, default=300, metavar="N", help="bags; 0: none (default: 300)")
    add(
        "--record-via", choices=("auto", "ros", "lockstep"), default="auto",
        help="over the ROS graph, or without ROS (default: auto, ROS where it is there)",
    )  # fmt: skip
    add(
        "--domain", type=int, default=70, metavar="D",
        help="ROS domain of the first recorder; they hear this machine only (default: 70)",
    )  # fmt: skip
    add("--recorded-weight", type=float, default=1.0, metavar="W", help="in the mixture (1)")
    add("--episodes", type=int, default=2600, metavar="N", help="to collect (default: 2600)")
    add("--vision-steps", type=int, default=1400, metavar="N", help="(default: 1400)")
    add("--steps", type=int, default=0, metavar="N", help="of the first training (0: its own)")
    add("--rounds", type=int, default=1, metavar="N", help="of visiting and refining (default: 1)")
    add("--round-episodes", type=int, default=300, metavar="N", help="(default: 300)")
    add("--round-steps", type=int, default=2600, metavar="N", help="(default: 2600)")
    add("--processes", type=int, default=os.cpu_count() or 1, metavar="P", help="(one per core)")
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Run the stages that are not done yet; prints their times and the checkpoint."""
    from evla_ros.training.experiments.recipe import Recipe, stages_of
    from evla_ros.training.experiments.stages import StageTimes, run_stages
    from evla_ros.training.simulated.recordings import choose_via

    _check(arguments)
    _make(Path(arguments.output))
    via = choose_via(arguments.record_via) if arguments.record else "lockstep"
    if via == "lockstep" and arguments.record_via == "auto" and arguments.record:
        print("no ROS 2 here: the bags are recorded in lock-step", file=sys.stderr)
    recipe = Recipe(
        Path(arguments.output), Path(arguments.config), arguments.record, arguments.episodes,
        arguments.vision_steps, arguments.steps, arguments.processes, via, arguments.domain,
        arguments.recorded_weight, arguments.rounds, arguments.round_episodes,
        arguments.round_steps,
    )  # fmt: skip
    stages, times = stages_of(recipe), StageTimes(recipe.folder)
    run_stages(stages, times, f"evla train nano {shlex.join(_words(arguments))}")
    print(times.table([stage.name for stage in stages]), file=sys.stderr)
    print(recipe.checkpoint(recipe.rounds))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    sizes = {"episodes": 1, "vision_steps": 1, "processes": 1, "record": 0, "rounds": 0}
    check_least(arguments, {**sizes, "round_episodes": 1, "round_steps": 1})
    if not 0 <= arguments.domain <= 200:
        raise TrainingError(f"--domain {arguments.domain}: 0 to 200")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"cannot make the folder {str(folder)!r}: {error.strerror}") from error


def _words(arguments: argparse.Namespace) -> list[str]:
    """Return the options that are not the defaults, as they were given."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = [str(arguments.output)]
    for name, value in vars(arguments).items():
        if name != "output" and value != parser.get_default(name):
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words
