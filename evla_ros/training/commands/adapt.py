# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train adapt`: another robot from a trained network and few demonstrations."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evla_ros.training.commands.least_values import check_least
from evla_ros.training.errors import TrainingError

if TYPE_CHECKING:
    from evla_ros.training.experiments.adaptation import Adaptation

_ROOT = Path(__file__).parents[3]
_TASKS = ("lift", "hand_over", "lift_tray", "lift_both")
_EXAMPLES = """examples:
  evla train adapt outputs/humanoid --start models/evla-nano
  evla train adapt outputs/short --start CHECKPOINT --demonstrations 10 --tasks lift_tray \\
      optimizer.steps=500

Stages: collect so many demonstrations of every task with counterfactual labels (--relabels 0:
record bags and convert them), fine-tune the checkpoint and a fresh network on each dataset, score
them in simulation; --corrected: then let each play so many episodes a task, which the expert
answers, and train on with those. Written: adaptation.json, adaptation.md (the table), success.png.
The same command goes on where it stopped.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("output", help="folder of the experiment")
    add("changes", nargs="*", metavar="key.sub=value", help="settings to change in every run")
    add("--start", default="", metavar="CHECKPOINT", help="to move (default: only from scratch)")
    add("--config", default=str(_ROOT / "config" / "training" / "nano_humanoid.yaml"))
    add("--world", default="humanoid_upper_body", help="(default: humanoid_upper_body)")
    add("--tasks", nargs="+", default=list(_TASKS), metavar="TASK", help="(lift, three two-armed)")
    add(
        "--demonstrations", nargs="+", type=int, default=[10, 25, 50], metavar="N",
        help="per task (default: 10 25 50)",
    )  # fmt: skip
    add("--episodes", type=int, default=20, metavar="N", help="to score, per task (default: 20)")
    add(
        "--relabels", type=int, default=2, metavar="R",
        help="other instructions answered beside each demonstration; 0: record bags (default: 2)",
    )  # fmt: skip
    add(
        "--corrected", type=int, default=0, metavar="N",
        help="episodes a task of every network that the expert corrects (DAgger; default: 0)",
    )  # fmt: skip
    add(
        "--corrected-steps", type=int, default=1000, metavar="S",
        help="of the training that goes on with them (default: 1000)",
    )  # fmt: skip
    add(
        "--from-scratch", choices=("all", "largest", "none"), default="all",
        help="datasets that a fresh network learns from too, for comparison (default: all)",
    )  # fmt: skip
    add("--record-via", choices=("auto", "ros", "lockstep"), default="lockstep")
    add("--domain", type=int, default=70, metavar="D", help="ROS domain of the first recorder (70)")
    add("--processes", type=int, default=os.cpu_count() or 1, metavar="P", help="(one per core)")
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Record, convert, train, score, write; prints the table."""
    from evla_ros.training.experiments.adaptation import corrections_of, stages_of, trials_of
    from evla_ros.training.experiments.adaptation_report import write
    from evla_ros.training.experiments.stages import StageTimes, run_stages
    from evla_ros.training.experiments.trials import Scoring, run_trials

    adaptation = _adaptation(arguments)
    stages, times = stages_of(adaptation), StageTimes(adaptation.folder)
    again = f"evla train adapt {arguments.output} ..."
    run_stages(stages, times, again)
    most = adaptation.dataset(max(adaptation.demonstrations))
    scoring = Scoring(
        most, 100, arguments.world, adaptation.tasks, arguments.episodes,
        workers=arguments.processes,
    )  # fmt: skip
    results = run_trials(trials_of(adaptation), adaptation.folder, scoring, arguments.processes)
    corrections, further = corrections_of(adaptation, results)
    run_stages(corrections, times, again)
    results += run_trials(further, adaptation.folder, scoring, arguments.processes)
    stages += corrections
    print(times.table([stage.name for stage in stages]), file=sys.stderr)
    print(write(adaptation, results))
    return 0


def _adaptation(arguments: argparse.Namespace) -> Adaptation:
    from evla_ros.errors import nearest
    from evla_ros.sim.worlds import make_suite
    from evla_ros.training.experiments.adaptation import Adaptation
    from evla_ros.training.simulated.recordings import choose_via

    known = make_suite(arguments.world).grammar.families
    for task in arguments.tasks:
        if task not in known:
            raise TrainingError(f"--tasks {task}: no family of that world; {nearest(task, known)}")
    if min(arguments.demonstrations) < 1:
        raise TrainingError(f"--demonstrations {min(arguments.demonstrations)}: at least 1")
    check_least(arguments, {"relabels": 0, "corrected": 0, "corrected_steps": 1, "processes": 1})
    if not arguments.start and arguments.from_scratch == "none":
        raise TrainingError("--from-scratch none: nothing to train; name a checkpoint with --start")
    if arguments.start and not Path(arguments.start).is_dir():
        raise TrainingError(f"--start {arguments.start}: no such checkpoint folder")
    return Adaptation(
        Path(arguments.output), Path(arguments.config), arguments.world, tuple(arguments.tasks),
        tuple(sorted(arguments.demonstrations)), arguments.start, tuple(arguments.changes),
        choose_via(arguments.record_via), arguments.processes, arguments.domain,
        arguments.relabels, arguments.corrected, arguments.corrected_steps, arguments.from_scratch,
    )  # fmt: skip
