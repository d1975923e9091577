# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla eval libero`: success of a policy server on LIBERO's suites."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.options import Option
from evla_ros.sim.benchmarks.libero.settings import LiberoEvaluation

EXAMPLES = """examples:
  evla serve CHECKPOINT --keys libero                                      # in one shell
  evla eval libero --server ws://127.0.0.1:8000 --workers 2                # in another
  evla eval libero --server ws://127.0.0.1:8000 --suites spatial --tasks 0 --episodes 2 --videos
  evla eval libero --suites spatial --tasks 0 --episodes 1 --steps 20      # does LIBERO run here?

As openpi's client plays it, which published rows follow: 50 fixed start states a task, 10 steps of
waiting, at most 220 to 520 steps, five actions of an answer before the next look. Exit code 1: a
task has no score."""


@dataclass(frozen=True)
class Options:
    """An evaluation, and how its report is shown."""

    evaluation: LiberoEvaluation
    json: Annotated[bool, Option("print the report as JSON instead of the tables")] = False


def run(options: Options) -> int:
    """Play, report and judge: 0 when every task has a score, 1 when one has not."""
    from evla_ros.sim.benchmarks.libero.evaluate import (
        comparable,
        evaluate,
        suite_table,
        task_table,
    )

    evaluated = evaluate(options.evaluation, quiet=options.json)
    records = evaluated.records
    if options.json:
        print(json.dumps(evaluated.report, indent=1))
    else:
        print(f"{task_table(records)}\n\n{suite_table(records)}\n")
        for sentence in dict.fromkeys(
            [comparable(records, options.evaluation), *(r.note for r in records)]
        ):
            if sentence:
                print(f"note: {sentence}")
        print(f"report: {evaluated.folder / 'report.json'}, {evaluated.folder / 'report.md'}")
        videos = [record.video for record in records if record.video]
        if videos:
            print(f"videos: {len(videos)} in {Path(videos[0]).parent}")
    missing = evaluated.without_score
    if missing and not evaluated.interrupted:
        print(f"error: no score for {', '.join(missing)}: see the notes", file=sys.stderr)
    return 1 if evaluated.interrupted or missing else 0
