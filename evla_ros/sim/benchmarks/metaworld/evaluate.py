# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A whole evaluation on Meta-World: play, score by task and by group, write the report."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.sim.benchmarks.metaworld.environment import make_environment
from evla_ros.sim.benchmarks.metaworld.player import MetaWorldPlayer, MetaWorldSetup
from evla_ros.sim.benchmarks.metaworld.policies import metaworld_policy, robot_of
from evla_ros.sim.benchmarks.metaworld.score import group_scores, means
from evla_ros.sim.benchmarks.metaworld.settings import MetaWorldEvaluation
from evla_ros.sim.benchmarks.metaworld.suite import SUITE
from evla_ros.sim.benchmarks.metaworld.table import (
    comparable,
    published_table,
    summary_table,
    task_table,
)
from evla_ros.sim.benchmarks.metaworld.tasks import ALL, tasks_of
from evla_ros.sim.evaluation.episode import EpisodeRules
from evla_ros.sim.evaluation.plan import plan_episodes
from evla_ros.sim.evaluation.playing import collect_records
from evla_ros.sim.evaluation.record import EpisodeRecord
from evla_ros.sim.evaluation.report import as_json, new_folder, write_report, write_text
from evla_ros.sim.evaluation.score import scores
from evla_ros.sim.evaluation.setup import EpisodeJob
from evla_ros.sim.evaluation.workers import play_all


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found.

    Attributes:
        folder: the folder of `report.json` and `report.md`.
        report: what `report.json` holds.
        records: one per episode.
        interrupted: some episodes were not played.
    """

    folder: Path
    report: dict[str, Any]
    records: list[EpisodeRecord]
    interrupted: bool

    def tasks_without_score(self, policy: str) -> list[str]:
        """Return the tasks of which no episode of the policy could be scored."""
        return [s.task for s in scores(self.records) if s.policy == policy and s.rate is None]


def evaluate(asked: MetaWorldEvaluation, *, quiet: bool = False) -> Evaluated:
    """Play all episodes and write the report; Ctrl-C leaves one of what was played.

    Raises:
        EvlaError: an unknown task or policy; options that exclude each other; Meta-World is not
            installed; a folder that exists; interrupted before the first episode was over.
    """
    tasks = _tasks(asked)
    plan = plan_episodes(SUITE.grammar, tasks, asked.episodes, asked.seed)
    embodiment = robot_of(asked.policy)
    make_environment(
        tasks[0]
    ).close()  # whether Meta-World is here is said now, not by every worker
    metaworld_policy(asked.policy, embodiment, runtime=asked.runtime or "")
    folder = new_folder(asked.out, f"metaworld-{Path(asked.policy).name}-seed{asked.seed}")
    jobs = [EpisodeJob(asked.policy, planned) for planned in plan]
    if asked.policy != "expert":
        last = asked.seed + min(asked.episodes, asked.expert_episodes)
        jobs += [EpisodeJob("expert", planned) for planned in plan if planned.seed < last]
    setup = _setup(asked, folder, embodiment.text)
    playing = play_all(setup, jobs, asked.workers, make_player=MetaWorldPlayer)
    records, interrupted = collect_records(playing, len(jobs), quiet=quiet)
    return _write(asked, tasks, folder, records, interrupted=interrupted)


def _tasks(asked: MetaWorldEvaluation) -> tuple[str, ...]:
    words = [part for word in asked.tasks for part in word.split(",") if part]
    if asked.group is not None:
        if words:
            raise EvlaError(f"--group {asked.group} and --tasks exclude each other; leave one out")
        words = [asked.group]
    return tasks_of(words or [ALL])


def _setup(asked: MetaWorldEvaluation, folder: Path, embodiment_text: str) -> MetaWorldSetup:
    cores = len(os.sched_getaffinity(0))
    videos = str(folder / "videos") if asked.videos == "" else asked.videos
    return MetaWorldSetup(
        world="metaworld",
        embodiment_text=embodiment_text,
        policy=asked.policy,
        rules=EpisodeRules(),
        image_size=asked.image_size,
        videos=None if videos is None else Path(videos),
        video_quality=asked.video_quality,
        threads=asked.threads or max(1, cores // asked.workers),
        device=asked.device,
        runtime=asked.runtime or "",
        execute=asked.execute,
        most_steps=asked.steps,
        first_seed=asked.seed,
    )


def _write(
    asked: MetaWorldEvaluation,
    tasks: tuple[str, ...],
    folder: Path,
    records: list[EpisodeRecord],
    *,
    interrupted: bool,
) -> Evaluated:
    keys = ("policy", "episodes", "seed", "expert_episodes", "execute", "steps", "image_size")
    values = asdict(asked)
    question = {key: values[key] for key in keys}
    question |= {"world": "metaworld", "tasks": list(tasks), "interrupted": interrupted}
    report = as_json(question, records)
    report["groups"] = [
        {"policy": s.policy, "group": s.task, "successes": s.successes, "trials": s.trials,
         "rate": s.rate, "wilson_95": list(s.interval)}
        for s in group_scores(records)
    ]  # fmt: skip
    report["means"] = [
        {"policy": m.policy, "name": m.name, "rate": m.rate, "interval_95": list(m.interval)}
        for m in means(records)
    ]
    report["not_comparable"] = comparable(records)
    write_report(folder / "report.json", report)
    write_text(folder / "report.md", markdown(records))
    return Evaluated(folder, report, records, interrupted)


def markdown(records: list[EpisodeRecord]) -> str:
    """Return the report for people: groups and means, what others published, every task."""
    note = comparable(records)
    head = "# Meta-World\n\nSuccess in percent, with 95 % intervals."
    parts = [head, summary_table(records), note and f"{note}.", published_table()]
    return "\n\n".join([part for part in parts if part] + [task_table(records)]) + "\n"
