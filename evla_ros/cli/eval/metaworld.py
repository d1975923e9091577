# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla eval metaworld`: success on Meta-World's tasks, by task and by difficulty group."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.options import Option
from evla_ros.sim.benchmarks.metaworld.settings import MetaWorldEvaluation

EXAMPLES = """examples:
  evla eval metaworld --tasks reach-v3,push-v3 --episodes 2
  evla eval metaworld --policy outputs/metaworld/run/best --workers 2
  evla eval metaworld --policy outputs/metaworld/run/best --group hard --videos

As published rows are scored: one policy for all tasks, objects drawn anew at every reset, 10
episodes a task of at most 500 steps, success at any step. `mean of groups` is the mean of the four
difficulty groups, `mean of tasks` that of the tasks. Exit code 1: a task has no score."""

TRAIN = ("evla", "train", "metaworld", "outputs/metaworld")


@dataclass(frozen=True)
class Options:
    """An evaluation, and how its report is shown."""

    evaluation: MetaWorldEvaluation
    json: Annotated[bool, Option("print the report as JSON instead of the tables")] = False


def run(options: Options) -> int:
    """Play, report and judge: 0 when the policy has a score for every task, 1 when it has not."""
    from evla_ros.sim.benchmarks.metaworld.evaluate import evaluate
    from evla_ros.sim.benchmarks.metaworld.table import comparable, summary_table, task_table

    asked = options.evaluation
    evaluated = evaluate(asked, quiet=options.json)
    if options.json:
        print(json.dumps(evaluated.report, indent=1))
    else:
        records = evaluated.records
        print(f"{task_table(records)}\n\n{summary_table(records)}\n")
        notes = dict.fromkeys([comparable(records), *(record.note for record in records)])
        for sentence in filter(None, notes):
            print(f"note: {sentence}")
        print(f"report: {evaluated.folder / 'report.json'}, {evaluated.folder / 'report.md'}")
        videos = [record.video for record in records if record.video]
        if videos:
            print(f"videos: {len(videos)} in {Path(videos[0]).parent}")
    missing = evaluated.tasks_without_score(asked.policy)
    if missing and not evaluated.interrupted:
        print(f"error: no score for {', '.join(missing)}: see the notes", file=sys.stderr)
    elif not options.json and not evaluated.interrupted:
        from evla_ros.cli.next_command import say_next

        trained = Path(asked.policy).is_dir()
        say_next(*(("evla", "serve", asked.policy) if trained else TRAIN))
    return 1 if evaluated.interrupted or missing else 0
