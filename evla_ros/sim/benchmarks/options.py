# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options that the evaluations of benchmarks share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from evla_ros.options import Option

Videos: TypeAlias = Annotated[
    str | None,
    Option(
        "an MP4 of the first episode of each task and of every failure; without DIR: videos "
        "beside the report",
        "DIR",
        bare="",
        unset="none",
    ),
]
Out: TypeAlias = Annotated[
    Path | None,
    Option("a new folder for report.json and report.md", "DIR", unset="one in outputs/eval"),
]
