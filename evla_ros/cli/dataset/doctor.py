# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset doctor`: what spoils training in a dataset, with plots of its coverage."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.errors import EvlaError
from evla_ros.options import Option

EXAMPLES = """example: evla dataset doctor datasets/my_robot --plots plots
exit code: 0 without errors, 1 with errors, 2 when it cannot be read"""


@dataclass(frozen=True)
class Options:
    """What is examined, and how it is shown."""

    path: Annotated[Path, Option("dataset folder", positional=True)]
    json: Annotated[bool, Option("print one JSON object")] = False
    plots: Annotated[Path | None, Option("write coverage plots there", "DIR", unset="no plots")] = (
        None
    )
    strict: Annotated[bool, Option("exit 1 on warnings too")] = False


def run(options: Options) -> int:
    """Examine, print what was found; 1 when there are errors."""
    from evla_ros.data.doctor.examine import examine
    from evla_ros.data.rlds.reader import RldsDataset

    dataset = RldsDataset.open(options.path)
    examination = examine(dataset, None if options.json else _progress)
    plots = []
    if options.plots is not None:
        from evla_ros.data.view.coverage import write_coverage

        if options.plots.exists() and any(options.plots.iterdir()):
            raise EvlaError(f"{options.plots} is not empty; plots are never overwritten")
        plots = write_coverage(examination.episodes, examination.context, options.plots)
    errors, warnings = examination.count("error"), examination.count("warning")
    if options.json:
        content = {
            "dataset": dataset.name,
            "version": dataset.path.name,
            "episodes": len(examination.episodes),
            "errors": errors,
            "warnings": warnings,
            "findings": [finding.to_json() for finding in examination.findings],
            "plots": [str(path) for path in plots],
        }
        print(json.dumps(content, indent=1))
    else:
        for finding in examination.findings:
            print(finding.line())
        for path in plots:
            print(f"wrote {path}")
        episodes = f"{len(examination.episodes)} episodes"
        print(
            f"{dataset.name} {dataset.path.name}: {episodes}, {errors} errors, {warnings} warnings"
        )
        _say_next(options.path, errors)
    return 1 if errors or (options.strict and warnings) else 0


def _say_next(path: Path, errors: int) -> None:
    from evla_ros.cli.next_command import say_next

    if errors:
        print("next: mend the errors, each as its line says, and examine it again")
    else:
        say_next("evla", "train", "finetune", "--dataset", path)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\rlooking at episode {done} of {total}", end=end, file=sys.stderr, flush=True)
