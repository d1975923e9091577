# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which work `benchmarks.dataset_work` does, as its command line says it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.options import Option


@dataclass(frozen=True)
class Work:
    """One piece of work on a folder."""

    work: Annotated[
        Literal["make", "write", "floor", "read", "decode", "open"],
        Option("what is done", positional=True),
    ]
    folder: Annotated[Path, Option("of episodes or of a dataset", positional=True)]
    target: Annotated[Path, Option("what is written")] = Path()
    episodes: Annotated[int, Option("to make", least=1)] = 50
    steps: Annotated[int, Option("of an episode", least=1)] = 100
    cameras: Annotated[int, Option("to decode", least=1)] = 1
    threads: Annotated[int, Option("that read", least=1)] = 1
    seconds: Annotated[float, Option("of reading", above=0)] = 4.0
