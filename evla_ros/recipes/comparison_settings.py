# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What both ways of decoding learn from, for how long, and how they are scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.options import Option


@dataclass(frozen=True)
class Compared:
    """What both modes learn from, for how long, and how they are scored."""

    config: Annotated[Path, Option("a training configuration", positional=True)]
    output: Annotated[Path, Option("folder of the experiment", positional=True)]
    changes: Annotated[
        tuple[str, ...],
        Option("settings to change in every run", "key.sub=value", positional=True, unset="none"),
    ] = ()
    seeds: Annotated[int, Option("runs per mode", "N", least=1)] = 3
    steps: Annotated[
        int, Option("of every run: the same samples", "N", least=1, unset="by --minutes")
    ] = 0
    minutes: Annotated[
        float, Option("of CPU a run: the same compute", "M", above=0, unset="by --steps")
    ] = 0.0
    frames: Annotated[int, Option("held-out, decoded", "N", least=1)] = 200
    world: Annotated[str, Option("closed-loop success in this world", unset="not measured")] = ""
    tasks: Annotated[tuple[str, ...], Option("of that world", "TASK")] = ("all",)
    episodes: Annotated[int, Option("per task", "N", least=1)] = 20
    processes: Annotated[int, Option("of one thread, or GPUs, for a run", "P", least=1)] = 1
    parallel: Annotated[int, Option("runs trained side by side", "N", least=1)] = 1
    device: Annotated[
        str, Option("of offline scoring: cpu, cuda, ...", unset="cuda where there is one")
    ] = ""
    baseline: Annotated[
        Path | None,
        Option("another network, trained as its configuration says", "CONFIG", unset="none"),
    ] = None
