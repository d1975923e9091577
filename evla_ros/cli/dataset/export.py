# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset export`: a dataset in the format of others."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.options import Option

EXAMPLES = """examples:
  evla dataset export datasets/my_robot lerobot/my_robot --to lerobot
  evla dataset export datasets/my_robot lerobot/my_robot --to lerobot --video av1"""


@dataclass(frozen=True)
class Options:
    """What is exported, and how."""

    path: Annotated[Path, Option("dataset folder", positional=True)]
    out: Annotated[Path, Option("folder to write; must not exist", positional=True)]
    to: Annotated[Literal["lerobot"], Option("LeRobot's format, version 3.0")]
    video: Annotated[
        Literal["h264", "av1"] | None,
        Option("make videos of the pictures, smaller and with losses", unset="JPEG, as stored"),
    ] = None
    fps: Annotated[
        int | None,
        Option("frames a second", "N", least=1, most=1000, unset="the robot's rate"),
    ] = None
    licence: Annotated[
        str, Option("as the Hugging Face hub spells it, such as cc-by-4.0", unset="none chosen")
    ] = ""


def run(options: Options) -> int:
    """Export and say what stands on disk."""
    from evla_ros.data.lerobot.export import export
    from evla_ros.data.rlds.reader import RldsDataset

    made = export(
        RldsDataset.open(options.path),
        options.out,
        options.video or "jpeg",
        options.fps,
        options.licence,
        _progress,
    )
    for note in made.notes:
        print(f"note: {note}")
    print(f"wrote {made.path}: {made.episodes} episodes, {made.frames} frames (LeRobot v3.0)")
    print(f"next: evla dataset import {made.path} DATASETS reads it back")
    return 0


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\rexporting episode {done} of {total}", end=end, file=sys.stderr, flush=True)
