# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One instruction played through the real nodes, and the row of the table that it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evla_ros.demo.observer import Observer
from evla_ros.errors import EvlaError

START_LIMIT_S = 20.0
EPISODE_LIMIT_S = 20.0


@dataclass(frozen=True)
class Outcome:
    """What happened in an episode.

    Attributes:
        instruction: what was asked.
        success: whether the simulated robot was seen to have done it.
        seconds: simulated, from the start to the end.
        goal_rate_hz: goals per second of real time; NaN when there were too few to tell.
        jitter_p99_ms: how far the time between two goals is from its median, 99th percentile.
        inference_p50_ms: median time of an inference.
        clipped_goals: how many a limit changed.
        note: why there was no goal; empty when there was one.
        seed: of the start state.
        episode: number of the episode, as the simulated robot counts.
        begin_s: when the policy was started, on the clock of the episode.
    """

    instruction: str
    success: bool
    seconds: float
    goal_rate_hz: float
    jitter_p99_ms: float
    inference_p50_ms: float
    clipped_goals: int
    note: str
    seed: int = 0
    episode: int = 0
    begin_s: float = 0.0


def play(
    observer: Observer,
    instruction: str,
    seed: int,
    say: Callable[[str], None],
    limit_s: float = EPISODE_LIMIT_S,
) -> Outcome:
    """Reset the robot, start the policy, and watch until success, a stop or the time limit.

    Args:
        observer: what hears the nodes.
        instruction: what to do.
        seed: seed of the start state.
        say: is told how far the episode is, one line at a time.
        limit_s: simulated time that the episode may take.

    Raises:
        EvlaError: a node refuses or does not answer.
    """
    observer.wait(lambda: observer.sim is not None, 30.0, "a status of the simulated robot")
    before = _episode(observer)
    answer = observer.reset(instruction, seed)
    if not answer.success:
        raise EvlaError(f"the simulated robot refused the reset: {answer.message}")
    observer.wait(
        lambda: _episode(observer) > before and observer.elapsed_s > 0.1,
        30.0,
        "a status of the new episode",
    )
    observer.clear()
    observer.arrivals_s.clear()
    refusal = observer.start_within(START_LIMIT_S)
    if refusal:
        raise EvlaError(f"the policy node did not start: {refusal}")
    begin_s = observer.elapsed_s

    def over() -> bool:
        sim, status = observer.sim, observer.policy
        assert sim is not None  # noqa: S101 - it has shown the episode
        assert status is not None  # noqa: S101 - the policy has been started
        say(f"  {instruction}: {observer.elapsed_s - begin_s:4.1f} s  {status.reason_text}")
        done = sim.succeeded_once or observer.elapsed_s - begin_s > limit_s
        return bool(done or (observer.goals > 0 and not status.started))

    observer.wait(over, 10 * limit_s, f"the end of {instruction!r}")
    outcome = _outcome(observer, instruction, seed, begin_s)
    observer.stop()
    return outcome


def _episode(observer: Observer) -> int:
    return int(observer.sim.episode) if observer.sim is not None else 0


def _outcome(observer: Observer, instruction: str, seed: int, begin_s: float) -> Outcome:
    gaps_s = np.diff(observer.arrivals_s) if len(observer.arrivals_s) > 2 else np.array([np.nan])
    status, sim = observer.policy, observer.sim
    return Outcome(
        instruction=instruction,
        success=bool(sim is not None and sim.succeeded_once),
        seconds=observer.elapsed_s - begin_s,
        goal_rate_hz=float(1.0 / np.mean(gaps_s)),
        jitter_p99_ms=float(np.percentile(np.abs(gaps_s - np.median(gaps_s)), 99) * 1e3),
        inference_p50_ms=float(status.inference_p50_ms) if status is not None else 0.0,
        clipped_goals=observer.limited,
        note=str(status.reason_text) if status is not None and observer.goals == 0 else "",
        seed=seed,
        episode=_episode(observer),
        begin_s=begin_s,
    )
