# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset merge`: datasets of one robot put together into a new one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from evla_ros.cli.dataset.written import Target, say, say_what_follows
from evla_ros.errors import EvlaError
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.data.rlds.reader import RldsDataset

EXAMPLES = """examples:
  evla dataset merge datasets/monday datasets/tuesday --out datasets --name week
  evla dataset merge datasets/week_shard_* --out datasets --name week --as-one"""


@dataclass(frozen=True, kw_only=True)
class Options(Target):
    """What is merged, and its name."""

    paths: Annotated[tuple[Path, ...], Option("dataset folders", "PATH", positional=True)]
    name: Annotated[str, Option("name of the new dataset, lower_snake_case")]
    any_shape: Annotated[
        bool, Option("merge cameras of different aspect ratios; one then looks stretched")
    ] = False
    as_one: Annotated[
        bool,
        Option("they are shares of one conversion (--shard): the dataset it would have written"),
    ] = False


def run(options: Options) -> int:
    """Merge and say what stands on disk."""
    from evla_ros.data.edit.operations import merge
    from evla_ros.data.remote.publish import output_place
    from evla_ros.data.rlds.reader import RldsDataset

    datasets = [RldsDataset.open(path) for path in options.paths]
    if options.as_one:
        return _join(options, datasets)
    with output_place(options.out) as out:
        report = merge(datasets, out, options.name, options.version, any_shape=options.any_shape)
    say_what_follows(say(report, options.out))
    return 0


def _join(options: Options, datasets: list[RldsDataset]) -> int:
    from evla_ros.data.edit.join import join
    from evla_ros.data.remote.publish import output_place

    if options.any_shape:
        raise EvlaError("--any-shape has no effect beside --as-one: shares are of one conversion")
    with output_place(options.out) as out:
        joined = join(datasets, out, options.name, options.version)
    for note in joined.notes:
        print(f"note: {note}")
    where = say(joined.report, options.out)
    if joined.failures is not None:
        say(joined.failures, options.out)
    say_what_follows(where)
    return 0
