# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scores as Markdown: groups and means beside what others published, then every task."""

from __future__ import annotations

from collections.abc import Sequence

from evla_ros.sim.benchmarks.metaworld.published import PUBLISHED
from evla_ros.sim.benchmarks.metaworld.score import Mean, group_scores, means
from evla_ros.sim.benchmarks.metaworld.tasks import GROUPS, TASKS
from evla_ros.sim.evaluation.record import EpisodeRecord
from evla_ros.sim.evaluation.score import ALL_TASKS, Score, scores, short_name


def summary_table(records: Sequence[EpisodeRecord]) -> str:
    """Return a line per policy: its groups and the two means, in percent."""
    lines = ["| policy | easy | medium | hard | very hard | mean of tasks | mean of groups |"]
    lines.append("|---|---|---|---|---|---|---|")
    groups, both = group_scores(records), means(records)
    for policy in dict.fromkeys(r.policy for r in records):
        own = {s.task: s for s in groups if s.policy == policy}
        cells = [_of_score(own.get(group)) for group in GROUPS]
        cells += [_percent(m.rate, m.interval) for m in both if m.policy == policy] or ["", ""]
        lines.append(f"| {short_name(policy)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def published_table() -> str:
    """Return the published rows, in percent."""
    lines = ["| published | easy | medium | hard | very hard | mean of groups | source |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in PUBLISHED:
        groups = (row.easy, row.medium, row.hard, row.very_hard)
        cells = ["" if rate is None else f"{rate:.1f}" for rate in groups]
        mean = f"{row.mean_of_groups:.1f}"
        lines.append(f"| {row.policy} | {' | '.join(cells)} | {mean} | {row.source} |")
    return "\n".join(lines)


def task_table(records: Sequence[EpisodeRecord]) -> str:
    """Return a line per task: every policy's successes and their interval."""
    found = {(s.policy, s.task): s for s in scores(records) if s.task != ALL_TASKS}
    policies = list(dict.fromkeys(policy for policy, _ in found))
    lines = [f"| task | group | {' | '.join(short_name(p) for p in policies)} |"]
    lines.append(f"|---|---|{'---|' * len(policies)}")
    for task in dict.fromkeys(task for _, task in found):
        cells = [_of_task(found.get((policy, task))) for policy in policies]
        group = TASKS[task].group.replace("_", " ")
        lines.append(f"| {task} | {group} | {' | '.join(cells)} |")
    return "\n".join(lines)


def comparable(records: Sequence[EpisodeRecord]) -> str:
    """Return a sentence that says what keeps a score from being compared; empty: nothing."""
    played = len({r.task for r in records})
    if played < len(TASKS):
        return f"{played} of {len(TASKS)} tasks were played: not to be compared with published rows"
    return ""


def mean_sentence(mean: Mean) -> str:
    """Return a mean as a line of text."""
    return f"{short_name(mean.policy)}: {mean.name} {_percent(mean.rate, mean.interval)} %"


def _of_score(score: Score | None) -> str:
    return "" if score is None or score.rate is None else _percent(score.rate, score.interval)


def _of_task(score: Score | None) -> str:
    if score is None or score.rate is None:
        return ""
    low, high = score.interval
    return f"{score.successes}/{score.trials} ({100 * low:.0f}-{100 * high:.0f} %)"


def _percent(rate: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{100 * rate:.1f} ({100 * low:.1f}-{100 * high:.1f})"
