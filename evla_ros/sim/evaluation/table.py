# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores as a table for people: what was done, how sure that is, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence

from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.evaluation.score import ALL_TASKS, Score, short_name

_HEADER = (
    "task",
    "policy",
    "success",
    "95 % interval",
    "time",
    "path",
    "clipped",
    "inference",
    "not scored",
)


def to_table(scores: Sequence[Score]) -> str:
    """Return a line per task and policy; the baselines of a task stand under the policy."""
    tasks = [t for t in dict.fromkeys(s.task for s in scores) if t != ALL_TASKS]
    rows = [s for task in [*tasks, ALL_TASKS] for s in scores if s.task == task]
    lines: list[tuple[str, ...]] = [_HEADER]
    for before, row in zip([None, *rows], rows, strict=False):
        lines.append(_cells(row, first=before is None or before.task != row.task))
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADER))]
    texts = [_line(line, widths) for line in lines]
    return "\n".join([texts[0], "-" * sum(widths, 2 * (len(widths) - 1)), *texts[1:]])


def remarks(scores: Sequence[Score], records: Sequence[EpisodeRecord]) -> list[str]:
    """Return a sentence for everything that makes a score doubtful."""
    found = []
    for score in scores:
        if score.task == ALL_TASKS:
            continue
        for name, count in score.void.items():
            found.append(
                f"{score.policy}, {score.task}: {count} episode(s). {Verdict(name).sentence}"
            )
        if score.never_moved and score.policy != "hold":
            found.append(
                f"{score.policy}, {score.task}: the robot never moved in {score.never_moved} of "
                f"{score.trials} episodes."
            )
        if score.policy in ("random", "hold") and score.successes:
            found.append(
                f"{score.policy} solved {score.task} {score.successes} of {score.trials} times: "
                "the task is partly luck."
            )
    notes = [r.note for r in records if r.note]
    common = list(dict.fromkeys(notes))[:5]
    return found + [f"{notes.count(note)} episode(s): {note}" for note in common]


def _cells(s: Score, *, first: bool) -> tuple[str, ...]:
    low, high = s.interval
    rate = "refused" if s.rate is None else f"{s.successes}/{s.trials} {100 * s.rate:.0f} %"
    return (
        s.task if first else "",
        short_name(s.policy),
        rate,
        "" if s.rate is None else f"{100 * low:.0f}-{100 * high:.0f} %",
        "" if s.time_s is None else f"{s.time_s:.1f} s",
        "" if s.path_m is None else f"{s.path_m:.2f} m",
        f"{100 * s.limited_share:.0f} %",
        "" if s.inference_ms is None else f"{s.inference_ms:.1f} ms",
        " ".join(f"{name}={count}" for name, count in s.void.items()),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = [
        text.ljust(width) if i in (0, 1, 8) else text.rjust(width)
        for i, (text, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(aligned).rstrip()
