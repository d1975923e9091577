# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `evla eval libero` is asked: the server, the suites, and how they are played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from evla_ros.options import Option
from evla_ros.sim.benchmarks.libero.suites import EXECUTE, STARTS
from evla_ros.sim.benchmarks.options import Out, Videos


@dataclass(frozen=True)
class LiberoEvaluation:
    """What is evaluated."""

    server: Annotated[
        str,
        Option(
            "that is asked, ws://HOST:PORT: `evla serve --keys libero`, or openpi's own",
            "URL",
            unset="none: the arm holds still, to see that LIBERO runs",
        ),
    ] = ""
    token_file: Annotated[str, Option("the server's token", "FILE", unset="none")] = ""
    ca_file: Annotated[
        str, Option("certificate of the server's authority", "FILE", unset="the system's")
    ] = ""
    suites: Annotated[
        tuple[str, ...],
        Option(
            "spatial, object, goal, 10 or 90", "SUITE", unset="the first four of them", commas=True
        ),
    ] = ()
    tasks: Annotated[
        tuple[int, ...], Option("numbers of tasks in each suite, from 0", "N", least=0, unset="all")
    ] = ()
    episodes: Annotated[
        int, Option("of each task: its first N start states", "N", least=1, most=STARTS)
    ] = STARTS
    execute: Annotated[
        int, Option("actions of an answer played before the next look", "N", least=1)
    ] = EXECUTE
    steps: Annotated[
        int, Option("of an episode, at most", "N", least=0, unset="as openpi: 220 to 520")
    ] = 0
    workers: Annotated[int, Option("processes, each asks for itself", "W", least=1)] = 1
    videos: Videos = None
    out: Out = None
