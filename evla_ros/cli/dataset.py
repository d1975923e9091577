# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset`: examine datasets, and merge, split or edit them into new copies."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from evla_ros.cli.dataset_write import (
    add_edit,
    add_merge,
    add_split,
    run_edit,
    run_merge,
    run_split,
)
from evla_ros.errors import EvlaError

EXAMPLES = """\
examples:
  evla dataset doctor datasets/my_robot --plots plots
  evla dataset merge datasets/monday datasets/tuesday --out datasets --name week
  evla dataset split datasets/my_robot --out datasets --val 0.2 --failures
  evla dataset edit datasets/my_robot --out datasets --drop train/3
  evla dataset stats datasets/my_robot
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    doctor = actions.add_parser("doctor", help="look for everything that spoils training")
    doctor.add_argument("path", type=Path, help="dataset folder")
    doctor.add_argument("--json", action="store_true", help="print one JSON object")
    doctor.add_argument("--plots", type=Path, metavar="DIR", help="write coverage plots there")
    doctor.add_argument("--strict", action="store_true", help="exit 1 on warnings too")
    doctor.epilog = "exit code: 0 without errors, 1 with errors, 2 when it cannot be read"
    stats = actions.add_parser("stats", help="compute the statistics anew")
    stats.add_argument("path", type=Path, help="dataset folder")
    stats.add_argument("--json", action="store_true", help="print them in OpenVLA's layout")
    add_merge(actions.add_parser("merge", help="put datasets of one robot together"))
    add_split(actions.add_parser("split", help="assign train and val anew"))
    add_edit(actions.add_parser("edit", help="drop episodes, change instructions"))
    parser.epilog = EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen action."""
    actions = {
        "doctor": _doctor,
        "stats": _stats,
        "merge": run_merge,
        "split": run_split,
        "edit": run_edit,
    }
    return actions[arguments.action](arguments)


def _doctor(arguments: argparse.Namespace) -> int:
    from evla_ros.data.doctor.examine import examine
    from evla_ros.data.rlds.reader import RldsDataset

    dataset = RldsDataset.open(arguments.path)
    examination = examine(dataset, None if arguments.json else _progress)
    plots = []
    if arguments.plots is not None:
        from evla_ros.data.view.coverage import write_coverage

        if arguments.plots.exists() and any(arguments.plots.iterdir()):
            raise EvlaError(f"{arguments.plots} is not empty; plots are never overwritten")
        plots = write_coverage(examination.episodes, examination.context, arguments.plots)
    errors, warnings = examination.count("error"), examination.count("warning")
    if arguments.json:
        content = {
            "dataset": dataset.name,
            "version": dataset.path.name,
            "episodes": len(examination.episodes),
            "errors": errors,
            "warnings": warnings,
            "findings": [finding.to_json() for finding in examination.findings],
            "plots": [str(path) for path in plots],
        }
        print(json.dumps(content, indent=1))
    else:
        for finding in examination.findings:
            print(finding.line())
        for path in plots:
            print(f"wrote {path}")
        episodes = f"{len(examination.episodes)} episodes"
        print(
            f"{dataset.name} {dataset.path.name}: {episodes}, {errors} errors, {warnings} warnings"
        )
    return 1 if errors or (arguments.strict and warnings) else 0


def _stats(arguments: argparse.Namespace) -> int:
    from evla_ros.data.doctor.context import context_of
    from evla_ros.data.doctor.summary import summarize
    from evla_ros.data.edit.operations import statistics_of
    from evla_ros.data.rlds.reader import RldsDataset
    from evla_ros.data.rlds.statistics import statistics_to_json

    dataset = RldsDataset.open(arguments.path)
    statistics = statistics_of(dataset)
    if arguments.json:
        print(statistics_to_json(dataset.name, statistics), end="")
        return 0
    split = next(name for name, count in dataset.splits.items() if count)
    names = context_of(dataset, [summarize(dataset.episode(split, 0), split, 0)]).action_names
    action = statistics["action"]
    columns = ("mean", "std", "min", "q01", "q99", "max")
    print(f"{dataset.name}: {statistics['num_trajectories']} episodes, ", end="")
    print(f"{statistics['num_transitions']} steps")
    print(f"{'action':<18}" + "".join(f"{name:>11}" for name in columns) + "  normalised")
    for index, name in enumerate(names):
        numbers = "".join(f"{action[column][index]:11.4g}" for column in columns)
        print(f"{name:<18}{numbers}  {'yes' if action['mask'][index] else 'no'}")
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\rlooking at episode {done} of {total}", end=end, file=sys.stderr, flush=True)
