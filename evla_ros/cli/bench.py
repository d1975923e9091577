# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench <what>`: measure one part and print the rows, as a table or as one JSON object."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from evla_ros.cli.parser import Parser
from evla_ros.errors import EvlaError, nearest

SUBJECTS = {
    "model": "the network: stages, joint against autoregressive, roofline",
    "node": "the policy node: goal jitter, camera-to-goal latency, stop latency",
    "sim": "the simulator: physics steps, rendered frames, episodes",
    "data": "recorder, converter, RLDS writer and reader",
    "train": "the loader and the training step",
}


def available_subjects() -> dict[str, str]:
    """Return the subjects of the table whose module is in this installation."""
    folder = Path(__file__).parent.parent / "bench"
    return {name: text for name, text in SUBJECTS.items() if (folder / f"{name}.py").is_file()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subject; everything after it belongs to the subject."""
    subjects = available_subjects()
    lines = [f"  {name:<6} {text}" for name, text in subjects.items()] or ["  (none installed)"]
    parser.add_argument("what", help="the subject, see below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="its options")
    parser.epilog = "\n".join(
        ["subjects:", *lines, "", "examples:", "  evla bench model", "  evla bench model --json"]
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen benchmark and print its rows."""
    from evla_ros.bench import report

    subjects = available_subjects()
    if arguments.what not in subjects:
        raise EvlaError(
            f"unknown benchmark {arguments.what!r}: {nearest(arguments.what, subjects)}"
        )
    module = importlib.import_module(f"evla_ros.bench.{arguments.what}")
    parser = Parser(prog=f"evla bench {arguments.what}", description=subjects[arguments.what])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    module.add_arguments(parser)
    options = parser.parse_args(arguments.rest)
    rows = list(module.rows(options))
    print(report.to_json(rows) if options.json else report.to_table(rows))
    return 0
