# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla doctor`: what is in order on this machine and robot, and how to mend what is not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evla_ros.doctor.finding import Finding

EXAMPLES = """examples:
  evla doctor
  evla doctor --embodiment tabletop_arm      are its cameras and topics alive, and how fast
  evla doctor --json                         one object, for a machine to read
exit code: 0 when nothing is red, 1 otherwise"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--embodiment", metavar="NAME_OR_FILE", help="also listen to its topics")
    parser.add_argument(
        "--listen", type=float, default=3.0, metavar="S", help="for how long (default 3 s)"
    )
    parser.add_argument(
        "--bags", type=Path, default=Path(), metavar="DIR", help="where bags would go (default .)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.epilog = EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Look at everything, print the table, return 1 when something is red."""
    from evla_ros.doctor.finding import healthy, to_json, to_table

    findings = list(_findings(arguments))
    if arguments.json:
        print(to_json(findings))
    else:
        print(to_table(findings, colour=sys.stdout.isatty()))
        reds = sum(finding.status == "red" for finding in findings)
        print(f"\n{reds} red" if reds else "\nall well")
    return 0 if healthy(findings) else 1


def _findings(arguments: argparse.Namespace) -> Iterator[Finding]:
    from evla_ros.doctor import machine, rendering, ros_install, topics, torch_devices
    from evla_ros.embodiment import load_embodiment
    from evla_ros.errors import EvlaError

    if not arguments.bags.is_dir():
        raise EvlaError(f"--bags {arguments.bags}: there is no such folder; create it first")
    embodiment = load_embodiment(arguments.embodiment) if arguments.embodiment else None
    yield from machine.check(arguments.bags)
    yield from torch_devices.check()
    yield from rendering.check()
    ros = list(ros_install.check())
    yield from ros
    if embodiment is not None and any(finding.name == "middleware" for finding in ros):
        yield from topics.check(embodiment, arguments.listen)
