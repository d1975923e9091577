# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the actions that write share: always a copy, its folder, and a line about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.data.rlds.folder import WriteReport


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where the copy goes."""

    out: Annotated[Path, Option("folder that holds datasets, or its URI", "DIR")]
    version: Annotated[str | None, Option("X.Y.Z", unset="the next free one")] = None


def say_what_follows(where: str) -> None:
    """Name the command that examines a dataset which was just written."""
    from evla_ros.cli.next_command import say_next

    say_next("evla", "dataset", "doctor", where)


def say(report: WriteReport, out: Path) -> str:
    """Print what stands in a folder of datasets or at its URI; return where."""
    from evla_ros.data.remote.uri import uri_of

    uri = uri_of(out)
    splits = ", ".join(f"{name} {count}" for name, count in report.splits.items())
    verb = "unchanged, already there:" if report.unchanged else "wrote"
    where = f"{uri}/{report.path.parent.name}/{report.path.name}" if uri else str(report.path)
    print(f"{verb} {where}: {splits} episodes, {report.steps} steps")
    return where
