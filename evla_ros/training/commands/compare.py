# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train compare`: joint against autoregressive decoding, trained alike and scored alike."""

from __future__ import annotations

import argparse
from pathlib import Path

from evla_ros.training.errors import TrainingError

_EXAMPLES = """examples:
  evla train compare config/training/nano_tabletop.yaml outputs/compare --seeds 3 --minutes 20 \\
      --world tabletop_arm --episodes 20
  evla dataset split data/bridge_dataset --out outputs/data --val 0.2
  evla train compare config/training/bridge.yaml outputs/compare_bridge --seeds 3 --minutes 5 \\
      datasets.0.path=outputs/data/bridge_dataset

Both modes get tokens alone, the same data, seeds and budget. Written: comparison.json (every run),
comparison.md (the table), curves.png. The same command goes on where it stopped."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("config", help="a training configuration")
    add("output", help="folder of the experiment")
    add("changes", nargs="*", metavar="key.sub=value", help="settings to change in every run")
    add("--seeds", type=int, default=3, metavar="N", help="runs per mode (default: 3)")
    add("--steps", type=int, default=0, metavar="N", help="of every run: the same samples")
    add("--minutes", type=float, default=0.0, metavar="M", help="of CPU a run: the same compute")
    add("--frames", type=int, default=200, metavar="N", help="held-out, decoded (default: 200)")
    add("--world", default="", help="closed-loop success in this world (default: not measured)")
    add("--tasks", nargs="+", default=["all"], metavar="TASK", help="(default: all)")
    add("--episodes", type=int, default=20, metavar="N", help="per task (default: 20)")
    add("--processes", type=int, default=1, metavar="P", help="of one thread (default: 1)")
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Train, score, write; prints the table."""
    from evla_ros.training.config import load_config
    from evla_ros.training.experiments.comparison import MODES, kept, steps_for, trials_of, write
    from evla_ros.training.experiments.trials import Scoring, run_trials

    if (arguments.steps > 0) == (arguments.minutes > 0):
        raise TrainingError("give a budget: either --steps N or --minutes M")
    if arguments.seeds < 1:
        raise TrainingError(f"--seeds {arguments.seeds}: at least 1")
    config, changes = Path(arguments.config), list(arguments.changes)
    folder = Path(arguments.output)
    first = load_config(config, changes).datasets[0]
    _check_held_out(first.path, first.val_split)
    steps = dict.fromkeys(MODES, arguments.steps)
    if arguments.minutes:
        steps = kept(folder / "steps.json", lambda: steps_for(config, changes, arguments.minutes))
    scoring = Scoring(
        Path(first.path), arguments.frames, arguments.world, tuple(arguments.tasks),
        arguments.episodes, workers=arguments.processes, transform=first.transform,
        split=first.val_split,
    )  # fmt: skip
    trials = trials_of(config, changes, arguments.seeds, steps, folder)
    results = run_trials(trials, folder, scoring, arguments.processes)
    question = {key: value for key, value in vars(arguments).items() if key != "output"}
    print(write(results, {**question, "steps_of_mode": steps}, folder))
    return 0


def _check_held_out(path: str, split: str) -> None:
    """Raise TrainingError when nothing is held out to compare on."""
    from evla_ros.data.rlds.reader import RldsDataset

    dataset = RldsDataset.open(path)
    if not dataset.splits.get(split):
        raise TrainingError(
            f"dataset {dataset.name!r} has no episodes in split {split!r} to compare on; make a "
            f"copy that has: evla dataset split {path} --out outputs/data --val 0.2"
        )
