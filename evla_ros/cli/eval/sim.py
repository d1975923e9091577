# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla eval sim`: closed-loop success in a simulated world, printed as a table or as JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from evla_ros.options import Option
from evla_ros.sim.evaluation.settings import Evaluation

if TYPE_CHECKING:
    from evla_ros.sim.evaluation.evaluate import Evaluated
    from evla_ros.sim.evaluation.setup import MakePlayer, Player, Setup

EXAMPLES = """examples:
  evla eval sim --policy expert --world tabletop_arm --episodes 20 --seed 0
  evla eval sim --policy outputs/run/checkpoint --tasks lift stack --workers 2 --videos
  evla eval sim --policy remote --server ws://gpu.lab:8000 --tasks lift
  evla eval sim --policy outputs/run/checkpoint --tasks held-out --charge-inference --json

Every task is played with the same seeds by the policy and by the baselines. An episode that was
solved at reset, or in which no action of the policy was applied, is never scored.
Exit code 1: a task has no score."""


@dataclass(frozen=True)
class Options:
    """An evaluation, and how its report is shown."""

    evaluation: Evaluation
    json: Annotated[bool, Option("print the report as JSON instead of the table")] = False


def run(options: Options) -> int:
    """Play, report and judge: 0 when the policy has a score for every task, 1 when it has not."""
    from evla_ros.sim.evaluation.evaluate import evaluate

    asked = options.evaluation
    evaluated = evaluate(asked, _real_nodes(asked), quiet=options.json)
    if options.json:
        print(json.dumps(evaluated.report, indent=1))
    else:
        _show(evaluated)
        _say_next(asked)
    missing = evaluated.tasks_without_score(asked.policy)
    if missing and not evaluated.interrupted:
        print(f"error: no score for {', '.join(missing)}: see the notes", file=sys.stderr)
    return 1 if evaluated.interrupted or missing else 0


def _say_next(asked: Evaluation) -> None:
    """Name the robot for a checkpoint, and for anything else the command that makes one."""
    from evla_ros.cli.next_command import say_next

    if Path(asked.policy).is_dir():
        say_next("evla", "run", "policy", "--set", f"checkpoint={asked.policy}", "shadow=true")
    else:
        say_next("evla", "train", "--help")


def _show(evaluated: Evaluated) -> None:
    from evla_ros.sim.evaluation.table import remarks, to_table

    print(to_table(evaluated.scores))
    for sentence in remarks(evaluated.scores, evaluated.records):
        print(f"note: {sentence}")
    folder = evaluated.folder
    print(f"report: {folder / 'report.json'}\nplot:   {folder / 'success.png'}")
    videos = [record.video for record in evaluated.records if record.video]
    if videos:
        print(f"videos: {len(videos)} in {Path(videos[0]).parent}")


def _real_nodes(asked: Evaluation) -> MakePlayer | None:
    """Return what plays through the real nodes, which are reached when the playing begins."""
    if not asked.ros:
        return None

    def make(setup: Setup) -> Player:
        from evla_ros.ros.evaluation.sim_player import RosPlayer

        return RosPlayer(setup, asked.ros_speed)

    return make
