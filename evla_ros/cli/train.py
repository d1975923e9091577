# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train finetune|pretrain|nano|...`: pretrain or fine-tune a policy."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from evla_ros.cli.parser import Parser
from evla_ros.errors import EvlaError, nearest

KINDS = {
    "finetune": "phase 2: actions from RLDS datasets",
    "pretrain": "phase 1: next-token loss on images and conversations (LLaVA-style JSON)",
    "captions": "make phase 1 conversations from simulated scenes",
    "nano": "the whole recipe of evla-nano in the simulator, from nothing to a checkpoint",
    "collect": "simulated demonstrations with counterfactual labels, as an RLDS dataset",
    "compare": "joint against autoregressive decoding: same data, seeds and budget",
    "adapt": "another robot from few demonstrations: success against their number and from scratch",
    "vision": "pretrain the encoders of evla-nano on where things are",
}


def available_kinds() -> dict[str, str]:
    """Return the kinds of the table whose module is in this installation."""
    folder = Path(__file__).parent.parent / "training" / "commands"
    return {kind: text for kind, text in KINDS.items() if (folder / f"{kind}.py").is_file()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the kind; everything after it belongs to the kind."""
    parser.add_argument("kind", help="what to train, see below")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="its options")
    lines = [f"  {kind:<9} {text}" for kind, text in available_kinds().items()]
    examples = ["  evla train nano outputs/nano", "  evla train finetune --help"]
    parser.epilog = "\n".join(["kinds:", *lines, "", "examples:", *examples])


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen kind of training."""
    kinds = available_kinds()
    if arguments.kind not in kinds:
        raise EvlaError(f"unknown training {arguments.kind!r}: {nearest(arguments.kind, kinds)}")
    text = kinds[arguments.kind]
    parser = Parser(
        prog=f"evla train {arguments.kind}", description=f"{text[0].upper()}{text[1:]}."
    )
    module = importlib.import_module(f"evla_ros.training.commands.{arguments.kind}")
    module.add_arguments(parser)
    return int(module.run(parser.parse_intermixed_args(arguments.rest)))
