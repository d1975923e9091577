# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset stats`: the statistics of a dataset, computed anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.options import Option

EXAMPLES = "example: evla dataset stats datasets/my_robot"


@dataclass(frozen=True)
class Options:
    """Of which dataset, and in which form."""

    path: Annotated[Path, Option("dataset folder", positional=True)]
    json: Annotated[bool, Option("print them in OpenVLA's layout")] = False


def run(options: Options) -> int:
    """Compute and print them."""
    from evla_ros.cli.next_command import say_next
    from evla_ros.data.doctor.context import context_of
    from evla_ros.data.doctor.summary import summarize
    from evla_ros.data.edit.operations import statistics_of
    from evla_ros.data.rlds.narrow_spans import treatment
    from evla_ros.data.rlds.reader import RldsDataset
    from evla_ros.data.rlds.statistics import statistics_to_json

    dataset = RldsDataset.open(options.path)
    statistics = statistics_of(dataset)
    if options.json:
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
        print(f"{name:<18}{numbers}  {treatment(action, index)}")
    say_next("evla", "dataset", "doctor", options.path)
    return 0
