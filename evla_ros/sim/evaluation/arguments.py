# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of `evla eval sim`."""

from __future__ import annotations

import argparse

_EXAMPLES = """examples:
  evla eval sim --policy expert --world tabletop_arm --episodes 20 --seed 0
  evla eval sim --policy outputs/run/checkpoint --tasks lift stack --workers 2 --videos
  evla eval sim --policy outputs/run/checkpoint --tasks held-out --charge-inference --json

Every task is played with the same seeds by the policy and by the baselines. An episode that was
solved at reset, or in which no action of the policy was applied, is never scored.
Exit code 1: a task has no score."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--policy", required=True, help="a checkpoint folder, or a baseline: expert, random, hold")
    add("--world", default="tabletop_arm", help="the simulated world (default: tabletop_arm)")
    add(
        "--tasks", nargs="+", default=["all"], metavar="TASK",
        help="task families, instructions in quotes, all, or held-out (default: all)",
    )  # fmt: skip
    add("--episodes", type=int, default=20, metavar="N", help="per task (default: 20)")
    add("--seed", type=int, default=0, metavar="S", help="of the first episode (default: 0)")
    add("--workers", type=int, default=1, metavar="W", help="processes (default: 1)")
    add(
        "--baselines", default="expert,random,hold", metavar="LIST",
        help="reported beside the policy; none for none (default: expert,random,hold)",
    )  # fmt: skip
    add(
        "--baseline-episodes", type=int, default=10, metavar="N",
        help="at most so many per task (default: 10)",
    )  # fmt: skip
    add(
        "--videos", nargs="?", const="", metavar="DIR",
        help="an MP4 of every failure (default folder: videos beside the report)",
    )  # fmt: skip
    add(
        "--video-quality", choices=("pretty", "fast"), default="pretty",
        help="pretty has shadows and costs 0.1 s a frame, fast a twentieth (default: pretty)",
    )  # fmt: skip
    add(
        "--charge-inference", action="store_true",
        help="simulated time goes on while the policy computes, as on a robot",
    )  # fmt: skip
    add(
        "--add-latency", type=float, default=0.0, metavar="S",
        help="every chunk of the policy comes so many simulated seconds later (default: 0)",
    )  # fmt: skip
    add(
        "--ros", action="store_true",
        help="through the real nodes in real time; baselines stay in this process",
    )  # fmt: skip
    add(
        "--ros-speed", type=float, default=1.0, metavar="X",
        help="with --ros: simulated seconds per second; below 1 for a busy machine (default: 1)",
    )  # fmt: skip
    add("--max-seconds", type=float, default=20.0, metavar="T", help="per episode (default: 20)")
    add("--image-size", type=int, default=128, metavar="PX", help="of the cameras (default: 128)")
    add("--device", default="cpu", help="of the network: cpu, cuda, ... (default: cpu)")
    add(
        "--threads", type=int, default=0, metavar="N",
        help="of the network on the CPU, per worker (default: all, shared; with --ros all but one)",
    )  # fmt: skip
    add("--plain", action="store_true", help="no random colours, light and camera")
    add("--out", metavar="DIR", help="a new folder for report.json and success.png")
    add("--json", action="store_true", help="print the report as JSON instead of the table")
    parser.epilog = _EXAMPLES
