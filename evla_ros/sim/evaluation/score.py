# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From episode records to scores: success with a 95 % interval per policy and task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from evla_ros.errors import EvlaError
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict

ALL_TASKS = "all"
MOVED_M = 0.005
_NAME_LENGTH = 28
Z_95 = 1.959963984540054


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of a success probability.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    1927.

    Args:
        successes: trials that succeeded.
        trials: all trials.
        z: quantile of the normal distribution, 1.96 for 95 %.

    Returns:
        (low, high) within [0, 1]; (0, 1) without trials.

    Raises:
        EvlaError: more successes than trials, or fewer than none.
    """
    if not 0 <= successes <= trials:
        raise EvlaError(f"{successes} successes in {trials} trials is impossible; 0 <= k <= n")
    if trials == 0:
        return 0.0, 1.0
    rate = successes / trials
    shrink = 1.0 / (1.0 + z * z / trials)
    centre = shrink * (rate + z * z / (2.0 * trials))
    half = shrink * z * math.sqrt(rate * (1.0 - rate) / trials + z * z / (4.0 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


@dataclass(frozen=True)
class Score:
    """One policy on one task (or on all of them).

    Attributes:
        policy: its name.
        task: the label of its episodes, or `ALL_TASKS`.
        successes: scored episodes that were solved.
        trials: scored episodes.
        void: episodes that are not scored, by verdict.
        time_s: median simulated time of a success; None without one.
        path_m: median way of the tools in a success, all arms together; None without one.
        limited_share: share of the goals that a limit changed.
        inference_ms: median wall time of an inference; None without one.
        never_moved: scored episodes in which the tools stayed where they were.
    """

    policy: str
    task: str
    successes: int
    trials: int
    void: dict[str, int]
    time_s: float | None
    path_m: float | None
    limited_share: float
    inference_ms: float | None
    never_moved: int

    @property
    def rate(self) -> float | None:
        """Share of successes, None when no episode counts."""
        return self.successes / self.trials if self.trials else None

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the rate."""
        return wilson_interval(self.successes, self.trials)


def short_name(policy: str) -> str:
    """Return the end of a policy's path, short enough for a column: `run/checkpoint`."""
    name = "/".join(Path(policy).parts[-2:])
    return name if len(name) <= _NAME_LENGTH else f"...{name[3 - _NAME_LENGTH :]}"


def score(policy: str, task: str, records: Iterable[EpisodeRecord]) -> Score:
    """Return the score of these records, which are all of one policy."""
    records = list(records)
    scored = [r for r in records if r.verdict.scored]
    done = [r for r in scored if r.verdict is Verdict.SUCCESS]
    void = [r.verdict.value for r in records if not r.verdict.scored]
    goals = sum(r.goals for r in scored)
    times = [ms for r in scored for ms in r.inference_ms]
    return Score(
        policy=policy,
        task=task,
        successes=len(done),
        trials=len(scored),
        void={name: void.count(name) for name in sorted(set(void))},
        time_s=median(r.duration_s for r in done) if done else None,
        path_m=median(sum(r.path_m) for r in done) if done else None,
        limited_share=sum(r.limited for r in scored) / goals if goals else 0.0,
        inference_ms=median(times) if times else None,
        never_moved=sum(sum(r.path_m) < MOVED_M for r in scored),
    )


def scores(records: Sequence[EpisodeRecord]) -> list[Score]:
    """Return a score per policy and task, and one per policy over all of its tasks."""
    result: list[Score] = []
    for policy in dict.fromkeys(r.policy for r in records):
        of_policy = [r for r in records if r.policy == policy]
        tasks = list(dict.fromkeys(r.task for r in of_policy))
        result += [score(policy, t, (r for r in of_policy if r.task == t)) for t in tasks]
        if len(tasks) > 1:
            result.append(score(policy, ALL_TASKS, of_policy))
    return result
