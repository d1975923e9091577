# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A whole evaluation on LIBERO: play, score by task and by suite, write the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.sim.benchmarks.libero.environment import task_count
from evla_ros.sim.benchmarks.libero.player import LiberoPlayer, label_of, setup_of, split_label
from evla_ros.sim.benchmarks.libero.server import LiberoServer
from evla_ros.sim.benchmarks.libero.settings import LiberoEvaluation
from evla_ros.sim.benchmarks.libero.suites import EXECUTE, PUBLISHED, STARTS, suites_of
from evla_ros.sim.evaluation.plan import PlannedEpisode
from evla_ros.sim.evaluation.playing import collect_records
from evla_ros.sim.evaluation.record import EpisodeRecord
from evla_ros.sim.evaluation.report import as_json, new_folder, write_report, write_text
from evla_ros.sim.evaluation.score import ALL_TASKS, Score, score, scores
from evla_ros.sim.evaluation.setup import EpisodeJob
from evla_ros.sim.evaluation.workers import play_all


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found: folder and content of the report, a record an episode."""

    folder: Path
    report: dict[str, Any]
    records: list[EpisodeRecord]
    interrupted: bool

    @property
    def without_score(self) -> list[str]:
        """The tasks of which no episode could be scored."""
        return [s.task for s in scores(self.records) if s.rate is None]


def evaluate(asked: LiberoEvaluation, *, quiet: bool = False) -> Evaluated:
    """Play all episodes and write the report; Ctrl-C leaves one of what was played.

    Raises:
        EvlaError: an unknown suite or task; nobody answers at the address; LIBERO is not installed;
            a folder that exists; interrupted before the first episode was over.
    """
    server = _server(asked)
    labels = [
        label_of(suite, number)
        for suite in suites_of(asked.suites)
        for number in _numbers(suite, asked.tasks)
    ]
    if server is not None:  # said now, not by every episode
        LiberoServer(server).close()
    folder = new_folder(asked.out, "libero")
    videos = folder / "videos" if asked.videos == "" else asked.videos and Path(asked.videos)
    setup = setup_of(server, asked.execute, asked.steps, videos or None)
    plan = [
        EpisodeJob(setup.policy, PlannedEpisode(label, label, start))
        for label in labels
        for start in range(asked.episodes)
    ]
    playing = play_all(setup, plan, asked.workers, make_player=LiberoPlayer)
    records, interrupted = collect_records(playing, len(plan), quiet=quiet)
    question = {key: value for key, value in asdict(asked).items() if key != "out"}
    question |= {"world": "libero", "played": labels, "interrupted": interrupted}
    report = as_json(question, records)
    report["suites"] = [
        {"suite": s.task, "successes": s.successes, "trials": s.trials, "rate": s.rate,
         "wilson_95": list(s.interval)}
        for s in suite_scores(records)
    ]  # fmt: skip
    report["not_comparable"] = comparable(records, asked)
    write_report(folder / "report.json", report)
    write_text(folder / "report.md", markdown(records, asked))
    return Evaluated(folder, report, records, interrupted)


def suite_scores(records: Sequence[EpisodeRecord]) -> list[Score]:
    """Return a score per suite."""
    found = dict.fromkeys(split_label(record.task)[0] for record in records)
    return [
        score(records[0].policy, suite, [r for r in records if split_label(r.task)[0] == suite])
        for suite in found
    ]


def comparable(records: Sequence[EpisodeRecord], asked: LiberoEvaluation) -> str:
    """Return a sentence that says what keeps a score from being compared; empty: nothing."""
    if asked.steps or asked.execute != EXECUTE:
        return "--steps or --execute is not openpi's: not to be compared with published rows"
    if any(not record.verdict.scored for record in records):
        return "not every episode got its answers: not to be compared with published rows"
    suites = {split_label(record.task)[0] for record in records}
    most = max((record.seed for record in records), default=0) + 1
    tasks = {record.task for record in records}
    if most < STARTS or any(len([t for t in tasks if t.startswith(f"{s} ")]) < 10 for s in suites):
        return f"fewer than {STARTS} episodes of every task: not to be compared with published rows"
    missing = [suite for suite in PUBLISHED if suite not in suites]
    return f"without {', '.join(missing)}, which published means hold" if missing else ""


def markdown(records: Sequence[EpisodeRecord], asked: LiberoEvaluation) -> str:
    """Return the report for people: suites, their mean, every task."""
    note = comparable(records, asked)
    parts = ["# LIBERO\n\nSuccess in percent, with 95 % intervals.", suite_table(records)]
    return "\n\n".join([*parts, *([f"{note}."] if note else []), task_table(records)]) + "\n"


def suite_table(records: Sequence[EpisodeRecord]) -> str:
    """Return a line per suite, and the mean of the suites."""
    found = suite_scores(records)
    lines = ["| suite | solved | success |", "|---|---|---|"]
    lines += [f"| {s.task} | {s.successes}/{s.trials} | {_percent(s)} |" for s in found]
    rates = [s.rate for s in found if s.rate is not None]
    if len(rates) > 1:
        lines.append(f"| mean of suites | | {100 * sum(rates) / len(rates):.1f} |")
    return "\n".join(lines)


def task_table(records: Sequence[EpisodeRecord]) -> str:
    """Return a line per task."""
    words = {record.task: record.instruction for record in records}
    lines = ["| task | instruction | solved | success |", "|---|---|---|---|"]
    for s in scores(records):
        if s.task != ALL_TASKS:
            solved = f"{s.successes}/{s.trials}"
            lines.append(f"| {s.task} | {words[s.task]} | {solved} | {_percent(s)} |")
    return "\n".join(lines)


def _percent(s: Score) -> str:
    if s.rate is None:
        return ""
    low, high = s.interval
    return f"{100 * s.rate:.1f} ({100 * low:.1f}-{100 * high:.1f})"


def _server(asked: LiberoEvaluation) -> ServerAddress | None:
    if asked.server:
        return ServerAddress(asked.server, asked.token_file, asked.ca_file)
    for name in ("token_file", "ca_file"):
        if getattr(asked, name):
            raise EvlaError(f"--{name.replace('_', '-')} has no effect without --server")
    return None


def _numbers(suite: str, asked: tuple[int, ...]) -> tuple[int, ...]:
    count = task_count(suite)
    beyond = [number for number in asked if number >= count]
    if beyond:
        raise EvlaError(f"--tasks {beyond[0]}: {suite} has {count} tasks, counted from 0")
    return tuple(dict.fromkeys(asked)) or tuple(range(count))
