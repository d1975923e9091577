# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converts bags and examines the dataset, as a process of its own that says how far it is.

Usage: python -m evla_ros.console.library.dataset_worker OUT BAG...; one JSON object a line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evla_ros.data.convert.conversion import Conversion
from evla_ros.data.doctor.examine import examine
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.errors import EvlaError

MOST_FINDINGS = 12


def main(arguments: Sequence[str]) -> int:
    """Convert and examine; 0 when every bag was kept and nothing is wrong."""
    os.nice(10)  # the robot comes first
    out, *bags = arguments
    try:
        return _work(Path(out), tuple(Path(bag) for bag in bags))
    except EvlaError as error:
        _say("error", text=str(error))
        return 2


def _work(out: Path, bags: tuple[Path, ...]) -> int:
    def converted(done: int, total: int, _result: Any) -> None:
        _say("convert", done=done, total=total)

    def examined(done: int, total: int) -> None:
        _say("doctor", done=done, total=total)

    report = Conversion(bags, out, jobs=1).run(converted)
    dropped = [f"{Path(r.bag).name}: {r.reason}" for r in report.results if r.status != "kept"]
    examination = examine(RldsDataset.open(Path(report.dataset)), examined)
    counts = {name: examination.count(name) for name in ("error", "warning")}
    lines = [finding.line() for finding in examination.findings[:MOST_FINDINGS]]
    _say("done", dataset=report.dataset, bags=len(bags), kept=len(bags) - len(dropped),
         dropped=dropped[:MOST_FINDINGS], findings=lines, **counts)  # fmt: skip
    return 1 if counts["error"] or not report.complete else 0


def _say(step: str, **fields: Any) -> None:
    print(json.dumps({"step": step, **fields}), flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
