# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla convert BAGS... --out DIR`: bags to an RLDS dataset that OpenVLA and Octo load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from evla_ros.data.convert.conversion import Conversion
from evla_ros.options import Option

EXAMPLES = """examples:
  evla convert recordings/ --out datasets
  evla convert a_bag another.mcap --out datasets --embodiment my_robot.yaml --jobs 4
  evla convert recordings/ --out datasets --action-source achieved --on-gap split

A killed run resumes when the same command is given again. The report, with what was kept,
dropped and why, is printed and written to DIR/<name>_conversion.json.
exit status: 0 when every bag was kept, 1 when some were not or more than --max-loss of one is
lost, 2 for bad input."""


@dataclass(frozen=True)
class Options:
    """A conversion, and how its report is shown."""

    conversion: Conversion
    json: Annotated[bool, Option("print the report as JSON")] = False


def run(options: Options) -> int:
    """Convert; 0 when every bag was kept as good as whole, else 1."""
    import json

    from evla_ros.data.convert.progress import Progress

    report = options.conversion.run(None if options.json else Progress())
    print(json.dumps(report.to_json(), indent=1) if options.json else report.text())
    if report.dataset and not options.json:
        from evla_ros.cli.next_command import say_next

        say_next("evla", "dataset", "doctor", report.dataset)
    return 0 if report.complete else 1
