# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the verb, run it, and turn what went wrong into one sentence and an exit code.

Exit codes: 0 done, 1 ran and failed (or interrupted), 2 bad input or usage.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from evla_ros.cli.commands import Commands
from evla_ros.errors import EvlaError

VERBS = {
    "doctor": "check this machine, ROS 2, torch and a robot's topics; say how to mend what is red",
    "demo": "run the main job end to end in simulation",
    "sim": "run the simulated robot as a ROS 2 node",
    "run": "run the policy, the recorder, teleoperation, the simulator or the console as a node",
    "robot": "propose an embodiment file from a running robot or a bag, and check one",
    "call": "ask a running node: start, stop, keep an episode, give an instruction",
    "status": "show why the robot moves or not, what arrives, and which limits clip",
    "console": "serve the operator's page: cameras, stop, start, record, drive",
    "record": "record demonstrations into rosbag2 folders",
    "inspect": "show what is in a bag or a dataset",
    "convert": "turn bags into an RLDS dataset",
    "dataset": "check, merge, split and edit RLDS datasets",
    "train": "pretrain or fine-tune a policy",
    "eval": "score a policy, in simulation or on held-out episodes",
    "serve": "serve a policy to robots over the network",
    "bench": "measure, with floors and goals beside the numbers",
    "build": "make a checkpoint from pretrained parts",
    "export": "write a checkpoint in another layout",
}
COMMANDS = Commands(
    "evla", "verb", "evla_ros.cli", VERBS, ["evla doctor --embodiment tabletop_arm"]
)
_HEAD = "Run an EdgeVLA policy on a ROS 2 robot and close the data loop around it."
_TAIL = """
options of every verb:
  --help    its options, their defaults and examples
  --debug   show the traceback of an error
  --version show the version
Lists are written with spaces: --tasks reach lift."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `evla`; `arguments` default to the process's. Returns the exit code."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files may hold any bytes
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in argv
    try:
        code = _dispatch([word for word in argv if word != "--debug"])
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


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(f"{_HEAD}\n\n{COMMANDS.overview()}\n{_TAIL}")
        return 0 if argv else 2
    if argv[0] in ("-V", "--version"):
        from evla_ros.version import version

        print(f"evla_ros {version()}")
        return 0
    return COMMANDS.run(argv)
