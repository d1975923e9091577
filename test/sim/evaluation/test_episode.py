# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from eval_report import outcome

from evla_ros.embodiment.layout import columns_of_arms
from evla_ros.errors import EvlaError
from evla_ros.policy.fixed import HoldPolicy
from evla_ros.policy.types import Chunk, Observation
from evla_ros.sim.evaluation.baselines import ExpertPolicy
from evla_ros.sim.evaluation.episode import EpisodeRules, play_episode
from evla_ros.sim.evaluation.film import film_episode
from evla_ros.sim.evaluation.policies import EvaluatedPolicy, evaluated_policy
from evla_ros.sim.evaluation.record import Verdict
from evla_ros.sim.world import World
from evla_ros.sim.worlds import make_world

SHORT = EpisodeRules(max_s=1.0)


class BrokenPolicy(HoldPolicy):
    def infer(self, observation: Observation) -> Chunk:
        actions = super().infer(observation).actions.copy()
        actions[1, 2] = np.nan
        return Chunk(observation.stamp_ns, actions)


class FailingPolicy(HoldPolicy):
    def infer(self, observation: Observation) -> Chunk:
        raise EvlaError("the server is gone")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = make_world("tabletop_arm")
    yield made
    made.close()


def policy(kind: type[HoldPolicy]) -> EvaluatedPolicy:
    def begin(world: World, _seed: int) -> HoldPolicy:
        return kind(world.embodiment.action.chunk, columns_of_arms(1), None)

    return EvaluatedPolicy("broken", begin, sees_images=False, baseline=False)


@pytest.mark.parametrize("task", ["lift", "push", "open"])
def test_the_expert_succeeds_through_the_control_core(world: World, task: str) -> None:
    record = play_episode(
        world, evaluated_policy("expert", world.embodiment), task, 0, EpisodeRules()
    ).record
    assert record.verdict is Verdict.SUCCESS
    assert record.goals > 20
    assert record.path_m[0] > 0.1
    assert record.chunks == len(record.inference_ms)


def test_hold_stays_where_it_is_and_fails(world: World) -> None:
    record = play_episode(
        world, evaluated_policy("hold", world.embodiment), "lift", 0, SHORT
    ).record
    assert record.verdict is Verdict.FAILURE
    assert record.duration_s == pytest.approx(1.0)
    assert record.path_m[0] < 0.01


@pytest.mark.parametrize(
    ("kind", "reason"), [(BrokenPolicy, "row 1 column 2"), (FailingPolicy, "the server is gone")]
)
def test_a_policy_whose_actions_never_arrive_has_no_score(
    world: World, kind: type[HoldPolicy], reason: str
) -> None:
    record = play_episode(world, policy(kind), "lift", 0, SHORT).record
    assert record.verdict is Verdict.NO_ACTION
    assert reason in record.note


def test_a_task_solved_at_reset_has_no_score(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "succeeded", lambda task=None: True)
    record = play_episode(
        world, evaluated_policy("expert", world.embodiment), "lift", 0, SHORT
    ).record
    assert record.verdict is Verdict.SOLVED_AT_RESET
    assert record.goals == 0


def test_same_seed_same_outcome_whatever_was_played_before(world: World) -> None:
    expert = evaluated_policy("expert", world.embodiment)
    random = evaluated_policy("random", world.embodiment)
    first = [outcome(play_episode(world, c, "lift", 3, SHORT).record) for c in (expert, random)]
    play_episode(world, random, "put_in_drawer", 9, SHORT)
    again = [outcome(play_episode(world, c, "lift", 3, SHORT).record) for c in (random, expert)]
    assert first == again[::-1]
    assert first != [
        outcome(play_episode(world, c, "lift", 4, SHORT).record) for c in (expert, random)
    ]


def test_charged_inference_makes_a_slow_policy_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10**12, 300_000_000))
    monkeypatch.setattr("time.perf_counter_ns", lambda: next(clock))
    policy = EvaluatedPolicy(
        "slow", lambda w, _: ExpertPolicy(w), sees_images=False, baseline=False
    )
    free = play_episode(world, policy, "lift", 0, SHORT).record
    rules = EpisodeRules(max_s=1.0, charge_inference=True)
    charged = play_episode(world, policy, "lift", 0, rules).record
    assert free.holds.get("waiting_for_chunk", 0) == 0
    assert charged.holds["waiting_for_chunk"] == 15  # 0.3 s at 50 goals a second
    assert charged.goals == 35


def test_added_latency_makes_a_policy_wait_but_no_baseline(world: World) -> None:
    policy = EvaluatedPolicy(
        "late", lambda w, _: ExpertPolicy(w), sees_images=False, baseline=False
    )
    rules = EpisodeRules(max_s=1.0, added_latency_s=0.3)
    late = play_episode(world, policy, "lift", 0, rules).record
    assert late.holds["waiting_for_chunk"] == 15  # 0.3 s at 50 goals a second
    assert outcome(late) == outcome(play_episode(world, policy, "lift", 0, rules).record)
    yardstick = play_episode(world, evaluated_policy("expert", world.embodiment), "lift", 0, rules)
    assert yardstick.record.holds.get("waiting_for_chunk", 0) == 0


def test_a_failure_becomes_a_film(world: World, tmp_path: Path) -> None:
    hold = evaluated_policy("hold", world.embodiment)
    played = play_episode(world, hold, "reach", 1, EpisodeRules(max_s=0.4), keep_states=True)
    path = film_episode(world, played, tmp_path)
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(frames) == 3 + 5
    assert frames[0].std() > 20


def test_unknown_policies_are_named(world: World) -> None:
    with pytest.raises(EvlaError, match="did you mean 'expert'"):
        evaluated_policy("expret", world.embodiment)
