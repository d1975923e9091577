# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N999 - a command's module has its name
"""`evla dataset import`: a dataset of others as one of ours."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.cli.dataset.written import say, say_what_follows
from evla_ros.errors import EvlaError
from evla_ros.options import Option

EXAMPLES = """examples:
  evla dataset import lerobot/pusht datasets                     # lists what it holds
  evla dataset import lerobot/pusht --propose pusht.yaml         # a map file to fill in
  evla dataset import lerobot/pusht datasets --map pusht.yaml
  evla dataset import aloha_episodes datasets --map aloha.yaml   # a folder of .hdf5"""


@dataclass(frozen=True)
class Options:
    """What is imported, and how."""

    path: Annotated[
        Path, Option("a LeRobot folder, .hdf5 file(s), or UMI's .zarr(.zip)", positional=True)
    ]
    out: Annotated[
        Path | None, Option("folder that holds datasets", positional=True, unset="only looks")
    ] = None
    map: Annotated[
        Path | None, Option("which columns are what", "FILE", unset="only for our own exports")
    ] = None
    propose: Annotated[Path | None, Option("write a map file to fill in", "FILE", unset="none")] = (
        None
    )
    name: Annotated[
        str | None, Option("name of the new dataset, lower_snake_case", unset="the robot's")
    ] = None
    version: Annotated[str | None, Option("X.Y.Z", unset="the next free one")] = None
    image_size: Annotated[
        int, Option("side of the stored pictures", "PIXELS", least=16, most=1024)
    ] = 224


def run(options: Options) -> int:
    """Import and say what stands on disk."""
    from evla_ros.data.foreign.importing import describe, import_dataset, open_foreign, propose
    from evla_ros.data.remote.publish import output_place

    if options.propose is not None:
        if options.map is not None or options.out is not None:
            raise EvlaError("--propose only looks: leave out --map and the folder of datasets")
        propose(options.path, options.propose)
        print(f"wrote {options.propose}: judge its lines with CHECK")
        print(f"next: evla dataset import {options.path} datasets --map {options.propose}")
        return 0
    if options.out is None:
        dataset = open_foreign(options.path)
        rate = "" if dataset.rate_hz is None else f", {dataset.rate_hz:g} Hz"
        print(f"{options.path}: {len(dataset)} episodes{rate}\n{describe(dataset)}")
        print(f"next: evla dataset import {options.path} --propose map.yaml")
        return 0
    size = (options.image_size, options.image_size)
    with output_place(options.out) as out:
        made = import_dataset(
            options.path, out, options.map, options.name, options.version, size, _progress
        )
    for note in made.notes:
        print(f"note: {note}")
    where = say(made.report, options.out)
    if made.report.failures is not None:
        say(made.report.failures, options.out)
    say_what_follows(where)
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\rimporting episode {done} of {total}", end=end, file=sys.stderr, flush=True)
