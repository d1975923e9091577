# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset edit`: a copy without some episodes, or with other instructions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.cli.dataset.written import Target, say, say_what_follows
from evla_ros.errors import EvlaError
from evla_ros.options import Option

EXAMPLES = "example: evla dataset edit datasets/my_robot --out datasets --drop train/3"


@dataclass(frozen=True, kw_only=True)
class Options(Target):
    """What is changed."""

    path: Annotated[Path, Option("dataset folder", positional=True)]
    drop: Annotated[tuple[str, ...], Option("episode ids or SPLIT/N", "EPISODE", unset="none")] = ()
    instruction: Annotated[
        str | None, Option("set this instruction everywhere", unset="as they are")
    ] = None
    replace: Annotated[
        tuple[tuple[str, str], ...],
        Option("replace one instruction by another; may be repeated", ("OLD", "NEW"), unset="none"),
    ] = ()
    name: Annotated[str | None, Option("name of the copy", unset="the same, next version")] = None


def run(options: Options) -> int:
    """Edit and say what stands on disk."""
    from evla_ros.data.edit.operations import edit
    from evla_ros.data.remote.publish import output_place
    from evla_ros.data.rlds.reader import RldsDataset

    if not options.drop and options.instruction is None and not options.replace:
        raise EvlaError("nothing to edit; give --drop, --instruction or --replace")
    dataset = RldsDataset.open(options.path)
    with output_place(options.out) as out:
        report = edit(
            dataset,
            out,
            options.name or dataset.name,
            options.version,
            drop=options.drop,
            instruction=options.instruction,
            replace=dict(options.replace),
        )
    say_what_follows(say(report, options.out))
    return 0
