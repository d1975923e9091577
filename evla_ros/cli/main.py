# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the verb, run it, and turn what went wrong into one sentence and an exit code.

Exit codes: 0 done, 1 ran and failed (or interrupted), 2 bad input or usage.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from evla_ros import __version__
from evla_ros.cli.parser import Parser
from evla_ros.errors import EvlaError, nearest

VERBS = {
    "doctor": "check this machine, ROS 2, torch and a robot's topics; say how to mend what is red",
    "demo": "run the main job end to end in simulation",
    "sim": "run the simulated robot as a ROS 2 node",
    "record": "record demonstrations into rosbag2 folders",
    "inspect": "show what is in a bag or a dataset",
    "convert": "turn bags into an RLDS dataset",
    "dataset": "check, merge, split and edit RLDS datasets",
    "train": "pretrain or fine-tune a policy",
    "eval": "score a policy, in simulation or on held-out episodes",
    "serve": "serve a policy to robots over the network",
    "bench": "measure, with floors and goals beside the numbers",
    "export": "write a checkpoint in another layout",
}


def available_verbs() -> dict[str, str]:
    """Return the verbs of the table whose module is in this installation."""
    folder = Path(__file__).parent
    return {verb: text for verb, text in VERBS.items() if (folder / f"{verb}.py").is_file()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `evla`; `arguments` default to the process's. Returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        code = _dispatch([word for word in words if word != "--debug"])
        sys.stdout.flush()
        return code
    except EvlaError as error:
        if debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        sentence = f"{_what_happened(error)}; run again with --debug for the traceback"
        print(f"error: {sentence}", file=sys.stderr)
        return 1


def _what_happened(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return f"{type(error).__name__}: {error}"


def _dispatch(words: list[str]) -> int:
    verbs = available_verbs()
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview(verbs))
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"evla_ros {__version__}")
        return 0
    verb = words[0]
    if verb not in verbs:
        kind = "option" if verb.startswith("-") else "verb"
        raise EvlaError(f"unknown {kind} {verb!r}: {nearest(verb, verbs)} See `evla --help`.")
    module = importlib.import_module(f"evla_ros.cli.{verb}")
    return int(module.run(_parse(verb, verbs[verb], module, words[1:])))


def _parse(verb: str, summary: str, module: ModuleType, words: list[str]) -> argparse.Namespace:
    parser = Parser(prog=f"evla {verb}", description=f"{summary[0].upper()}{summary[1:]}.")
    module.add_arguments(parser)
    return parser.parse_args(words)


def _overview(verbs: dict[str, str]) -> str:
    rows = [f"  {verb:<9} {text}" for verb, text in verbs.items()]
    return "\n".join(
        [
            "usage: evla <verb> [options]",
            "       evla <verb> --help    options and examples of a verb",
            "",
            "Run an EdgeVLA policy on a ROS 2 robot and close the data loop around it.",
            "",
            "verbs:",
            *rows,
            "",
            "options:",
            "  --debug   show the traceback of an error",
            "  --version show the version",
            "",
            "example: evla doctor --embodiment tabletop_arm",
        ]
    )
