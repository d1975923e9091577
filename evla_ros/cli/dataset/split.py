# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset split`: a copy whose episodes are assigned to train and val anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.cli.dataset.written import Target, say, say_what_follows
from evla_ros.options import Option

EXAMPLES = "example: evla dataset split datasets/my_robot --out datasets --val 0.2 --failures"


@dataclass(frozen=True, kw_only=True)
class Options(Target):
    """What is split, and how."""

    path: Annotated[Path, Option("dataset folder", positional=True)]
    val: Annotated[float, Option("share of val")] = 0.1
    failures: Annotated[bool, Option("move failed episodes to <name>_failures")] = False
    name: Annotated[str | None, Option("name of the copy", unset="the same, next version")] = None


def run(options: Options) -> int:
    """Split and say what stands on disk."""
    from evla_ros.data.edit.operations import split
    from evla_ros.data.remote.publish import output_place
    from evla_ros.data.rlds.reader import RldsDataset

    dataset = RldsDataset.open(options.path)
    name = options.name or dataset.name
    with output_place(options.out) as out:
        report, moved = split(
            dataset, out, name, options.val, options.version, failures=options.failures
        )
    where = say(report, options.out)
    if moved is not None:
        say(moved, options.out)
    say_what_follows(where)
    return 0
