# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla eval sim|offline`: score a policy, in simulation or on held-out episodes."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from evla_ros.cli.parser import Parser
from evla_ros.errors import EvlaError, nearest

KINDS = {
    "sim": ("evla_ros.sim.evaluation.command", "closed-loop success in a simulated world"),
    "offline": (
        "evla_ros.training.evaluation.offline_eval",
        "action error on held-out episodes of a dataset",
    ),
}


def available_kinds() -> dict[str, str]:
    """Return the kinds of the table whose module is in this installation."""
    root = Path(__file__).parent.parent
    return {
        kind: text
        for kind, (module, text) in KINDS.items()
        if root.joinpath(*module.split(".")[1:]).with_suffix(".py").is_file()
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the kind; everything after it belongs to the kind."""
    kinds = available_kinds()
    parser.add_argument("kind", help="what to score on, see below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="its options")
    parser.epilog = "\n".join(
        [
            "kinds:",
            *(f"  {kind:<8} {text}" for kind, text in kinds.items()),
            "",
            "examples:",
            "  evla eval sim --help",
            "  evla eval sim --policy expert --world tabletop_arm --episodes 20 --seed 0",
        ]
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen kind of evaluation."""
    kinds = available_kinds()
    if arguments.kind not in kinds:
        raise EvlaError(f"unknown evaluation {arguments.kind!r}: {nearest(arguments.kind, kinds)}")
    text = kinds[arguments.kind]
    parser = Parser(prog=f"evla eval {arguments.kind}", description=f"{text[0].upper()}{text[1:]}.")
    module = importlib.import_module(KINDS[arguments.kind][0])
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(arguments.rest)))
