# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench <what>`: measure one part and print the rows, as a table or as one JSON object."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from evla_ros.cli.commands import Commands
from evla_ros.interruption import sigterm_interrupts


def print_rows(module: ModuleType, options: Any) -> int:
    """Run a benchmark and print its rows, as a table or as JSON.

    Each row is told on stderr when it is measured: a long benchmark shows that it goes on, and one
    that is ended has said what it found.
    """
    from evla_ros.bench import report

    rows = []
    with sigterm_interrupts():  # what a benchmark started ends with it
        for row in module.rows(options):
            print(report.told(row), file=sys.stderr, flush=True)
            rows.append(row)
    table = getattr(module, "table", report.to_table)  # a benchmark may have a table of its own
    if getattr(options, "markdown", False):
        table = report.steps_markdown
    print(report.to_json(rows) if options.json else table(rows))
    return int(module.exit_code(rows)) if hasattr(module, "exit_code") else 0


_SUMMARIES = {
    "model": "the network: stages, joint against autoregressive, roofline",
    "paper": "Table I of the EVLA paper on this machine: EVLA-1B beside OpenVLA-7B",
    "node": "the policy node: goal jitter, camera-to-goal latency, stop latency",
    "fleet": "how many robots one server answers in time, by formula and simulation",
    "serve": "the policy server: added latency, answers a second, memory, reconnecting",
}
COMMANDS = Commands(
    "evla bench",
    "benchmark",
    "evla_ros.bench",
    _SUMMARIES,
    ["evla bench model", "evla bench model --json"],
    execute=print_rows,
    elsewhere={
        name: f"{name!r} measures the project rather than a robot: in a checkout, run "
        f"`python -m benchmarks {name}`"
        for name in ("data", "sim", "train")
    },
)
