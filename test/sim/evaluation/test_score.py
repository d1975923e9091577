# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import pytest

from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.evaluation.score import ALL_TASKS, score, scores, wilson_interval
from evla_ros.sim.evaluation.table import remarks, to_table


def test_only_success_and_failure_count(record: Callable[..., EpisodeRecord]) -> None:
    records = [record(v, seed=i) for i, v in enumerate(Verdict)]
    result = score("expert", "lift", records)
    assert (result.successes, result.trials, result.rate) == (1, 2, 0.5)
    assert result.void == {"no_action": 1, "no_answer": 1, "solved_at_reset": 1, "unstable": 1}
    assert result.interval == wilson_interval(1, 2)


@pytest.mark.parametrize("verdict", [v for v in Verdict if not v.scored])
def test_no_score_when_no_episode_counts(
    record: Callable[..., EpisodeRecord], verdict: Verdict
) -> None:
    records = [record(verdict, seed=i) for i in range(3)]
    result = score("expert", "lift", records)
    assert result.rate is None
    assert "refused" in to_table([result])
    assert verdict.sentence in remarks([result], records)[0]


def test_medians_are_of_successes(record: Callable[..., EpisodeRecord]) -> None:
    slow = record(duration_s=4.0, path_m=(0.5, 0.5))
    failed = record(Verdict.FAILURE, duration_s=20.0, path_m=(9.0,), limited=75)
    result = score("expert", "lift", [record(), slow, failed])
    assert (result.time_s, result.path_m) == (3.0, 0.75)
    assert result.limited_share == pytest.approx(125 / 300)
    assert result.inference_ms == 2.0


def test_one_score_per_task_and_one_over_all(record: Callable[..., EpisodeRecord]) -> None:
    records = [record(), record(task="push"), record(policy="hold", verdict=Verdict.FAILURE)]
    result = scores(records)
    assert [(s.policy, s.task) for s in result] == [
        ("expert", "lift"),
        ("expert", "push"),
        ("expert", ALL_TASKS),
        ("hold", "lift"),
    ]


def test_remarks_doubt_luck_and_a_robot_that_never_moved(
    record: Callable[..., EpisodeRecord],
) -> None:
    records = [
        record(Verdict.FAILURE, policy="checkpoint", path_m=(0.001,)),
        record(Verdict.SUCCESS, policy="hold"),
    ]
    text = " ".join(remarks(scores(records), records))
    assert "never moved in 1 of 1" in text
    assert "hold solved lift 1 of 1" in text
