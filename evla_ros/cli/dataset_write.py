# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The actions of `evla dataset` that write: merge, split and edit, always copies."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evla_ros.errors import EvlaError

if TYPE_CHECKING:
    from evla_ros.data.rlds.folder import WriteReport


def add_merge(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `merge`."""
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="dataset folders")
    parser.add_argument("--name", required=True, help="name of the new dataset, lower_snake_case")
    _add_target(parser)


def add_split(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `split`."""
    parser.add_argument("path", type=Path, help="dataset folder")
    parser.add_argument("--val", type=float, default=0.1, help="share of val (default 0.1)")
    parser.add_argument(
        "--failures", action="store_true", help="move failed episodes to <name>_failures"
    )
    parser.add_argument("--name", help="name of the copy (default: the same, next version)")
    _add_target(parser)


def add_edit(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `edit`."""
    parser.add_argument("path", type=Path, help="dataset folder")
    parser.add_argument(
        "--drop", nargs="+", default=[], metavar="EPISODE", help="episode ids or SPLIT/N"
    )
    parser.add_argument("--instruction", help="set this instruction everywhere")
    parser.add_argument(
        "--replace",
        nargs=2,
        action="append",
        default=[],
        metavar=("OLD", "NEW"),
        help="replace one instruction by another; may be repeated",
    )
    parser.add_argument("--name", help="name of the copy (default: the same, next version)")
    _add_target(parser)


def run_merge(arguments: argparse.Namespace) -> int:
    """Merge and say what stands on disk."""
    from evla_ros.data.edit.operations import merge
    from evla_ros.data.rlds.reader import RldsDataset

    datasets = [RldsDataset.open(path) for path in arguments.paths]
    _say(merge(datasets, arguments.out, arguments.name, arguments.version))
    return 0


def run_split(arguments: argparse.Namespace) -> int:
    """Split and say what stands on disk."""
    from evla_ros.data.edit.operations import split
    from evla_ros.data.rlds.reader import RldsDataset

    dataset = RldsDataset.open(arguments.path)
    name = arguments.name or dataset.name
    options = (arguments.out, name, arguments.val, arguments.version)
    report, moved = split(dataset, *options, failures=arguments.failures)
    _say(report)
    if moved is not None:
        _say(moved)
    return 0


def run_edit(arguments: argparse.Namespace) -> int:
    """Edit and say what stands on disk."""
    from evla_ros.data.edit.operations import edit
    from evla_ros.data.rlds.reader import RldsDataset

    if not arguments.drop and arguments.instruction is None and not arguments.replace:
        raise EvlaError("nothing to edit; give --drop, --instruction or --replace")
    dataset = RldsDataset.open(arguments.path)
    report = edit(
        dataset,
        arguments.out,
        arguments.name or dataset.name,
        arguments.version,
        drop=arguments.drop,
        instruction=arguments.instruction,
        replace=dict(arguments.replace),
    )
    _say(report)
    return 0


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="folder that holds datasets")
    parser.add_argument("--version", help="X.Y.Z (default: the next free one)")


def _say(report: WriteReport) -> None:
    splits = ", ".join(f"{name} {count}" for name, count in report.splits.items())
    verb = "unchanged, already there:" if report.unchanged else "wrote"
    print(f"{verb} {report.path}: {splits} episodes, {report.steps} steps")
