# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks <what>`: measure one part and print the rows, as `evla bench` does."""

from __future__ import annotations

import sys

from evla_ros.cli.bench import print_rows
from evla_ros.cli.commands import Commands
from evla_ros.errors import EvlaError

_SUMMARIES = {
    "sim": "the simulator: physics steps, rendered frames, episodes",
    "data": "recorder, converter, RLDS writer and reader",
    "console": "the operator's page: processor share, age of pictures, effect on goals",
    "train": "the loader and the training step",
    "mixture": "the loader over a mixture of datasets",
    "build": "a checkpoint from full-size parts",
    "step": "forward and backward of a large network: seconds and memory",
    "gpu": "what has to work on a CUDA GPU (`make gpu-check`)",
}
COMMANDS = Commands(
    "python -m benchmarks",
    "benchmark",
    "benchmarks",
    _SUMMARIES,
    ["python -m benchmarks data --only convert", "python -m benchmarks sim --json"],
    execute=print_rows,
)


def main(argv: list[str]) -> int:
    """Run the benchmark that `argv` names; returns the exit code."""
    try:
        return COMMANDS.run(argv)
    except EvlaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
