# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores by difficulty group, the mean of tasks and the mean of groups, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from evla_ros.sim.benchmarks.metaworld.tasks import GROUPS, TASKS
from evla_ros.sim.evaluation.record import EpisodeRecord
from evla_ros.sim.evaluation.score import Score, score

MEAN_OF_TASKS, MEAN_OF_GROUPS = "mean of tasks", "mean of groups"


class Mean(NamedTuple):
    """A mean of success rates.

    Attributes:
        policy: whose.
        name: `MEAN_OF_TASKS` or `MEAN_OF_GROUPS`.
        rate: 0 to 1.
        interval: 95 % interval of the rate.
    """

    policy: str
    name: str
    rate: float
    interval: tuple[float, float]


def group_scores(records: Sequence[EpisodeRecord]) -> list[Score]:
    """Return a score per policy and difficulty group that has episodes.

    Every task has as many episodes as the others, so that the rate is the mean of the tasks' rates,
    and the Wilson interval of all episodes together is on the safe side: tasks that differ make the
    true spread smaller.
    """
    found = []
    for policy in dict.fromkeys(r.policy for r in records):
        for group in GROUPS:
            own = [r for r in records if r.policy == policy and TASKS[r.task].group == group]
            if own:
                found.append(score(policy, group, own))
    return found


def means(records: Sequence[EpisodeRecord]) -> list[Mean]:
    """Return the mean of tasks and the mean of groups of each policy.

    The interval of the mean of groups puts the groups' Wilson intervals together (MOVER: Zou and
    Donner, "Construction of confidence limits about effect measures", 2008).
    """
    found = []
    groups = group_scores(records)
    for policy in dict.fromkeys(r.policy for r in records):
        everything = score(policy, "", [r for r in records if r.policy == policy])
        own = [s for s in groups if s.policy == policy and s.rate is not None]
        if everything.rate is None or not own:
            continue
        found.append(Mean(policy, MEAN_OF_TASKS, everything.rate, everything.interval))
        rates = [s.rate or 0.0 for s in own]
        centre = sum(rates) / len(own)
        both = list(zip(rates, own, strict=True))
        low = math.hypot(*(rate - s.interval[0] for rate, s in both)) / len(own)
        high = math.hypot(*(s.interval[1] - rate for rate, s in both)) / len(own)
        interval = (max(0.0, centre - low), min(1.0, centre + high))
        found.append(Mean(policy, MEAN_OF_GROUPS, centre, interval))
    return found
