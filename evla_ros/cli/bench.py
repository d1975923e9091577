# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench <what>`: measure one part and print the rows, as a table or as one JSON object."""

from __future__ import annotations

import argparse

from evla_ros.cli.kinds import Kind, Kinds

_SUMMARIES = {
    "model": "the network: stages, joint against autoregressive, roofline",
    "node": "the policy node: goal jitter, camera-to-goal latency, stop latency",
    "sim": "the simulator: physics steps, rendered frames, episodes",
    "data": "recorder, converter, RLDS writer and reader",
    "train": "the loader and the training step",
}
KINDS = Kinds(
    "bench",
    "benchmark",
    {name: Kind(f"evla_ros.bench.{name}", text) for name, text in _SUMMARIES.items()},
    ["evla bench model", "evla bench model --json"],
)
add_arguments = KINDS.add_arguments


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen benchmark and print its rows."""
    from evla_ros.bench import report

    module, options = KINDS.chosen(arguments, _add_json)
    rows = list(module.rows(options))
    print(report.to_json(rows) if options.json else report.to_table(rows))
    return 0


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
