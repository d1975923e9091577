# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One instruction played through the real nodes, and the row of the table that it gives."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evla_ros.demo.audience import Audience
from evla_ros.errors import EvlaError

START_LIMIT_S = 20.0
EPISODE_LIMIT_S = 20.0


@dataclass(frozen=True)
class Outcome:
    """What happened: simulated seconds, goals per second and their jitter, inference, clips."""

    instruction: str
    success: bool
    seconds: float
    goal_rate_hz: float
    jitter_p99_ms: float
    inference_p50_ms: float
    clipped_goals: int
    note: str


def play(audience: Audience, instruction: str, seed: int, say: Callable[[str], None]) -> Outcome:
    """Reset the robot to (instruction, seed), start the policy, watch until success or a stop."""
    audience.wait(lambda: audience.sim is not None, 30.0, "a status of the simulated robot")
    before = _episode(audience)
    answer = audience.reset(instruction, seed)
    if not answer.success:
        raise EvlaError(f"the simulated robot refused the reset: {answer.message}")
    audience.wait(lambda: _shows(audience, before), 30.0, "a status of the new episode")
    audience.clear()
    audience.arrivals_s.clear()
    _start(audience)
    begin_s = _elapsed_s(audience)

    def over() -> bool:
        sim, status = audience.sim, audience.policy
        assert sim is not None  # noqa: S101 - it has shown the episode
        assert status is not None  # noqa: S101 - the policy has been started
        say(f"{instruction}: {_elapsed_s(audience) - begin_s:4.1f} s  {status.reason_text}")
        done = sim.succeeded_once or _elapsed_s(audience) - begin_s > EPISODE_LIMIT_S
        return bool(done or (audience.goals > 0 and not status.started))

    audience.wait(over, 10 * EPISODE_LIMIT_S, f"the end of {instruction!r}")
    outcome = _outcome(audience, instruction, _elapsed_s(audience) - begin_s)
    audience.stop()
    return outcome


def _shows(audience: Audience, before: int) -> bool:
    return _episode(audience) > before and _elapsed_s(audience) > 0.1


def _episode(audience: Audience) -> int:
    return int(audience.sim.episode) if audience.sim is not None else 0


def _elapsed_s(audience: Audience) -> float:
    return float(audience.sim.elapsed_s) if audience.sim is not None else 0.0


def _start(audience: Audience) -> None:
    for _ in range(round(START_LIMIT_S)):
        answer = audience.start()
        if answer.success:
            return
        with contextlib.suppress(EvlaError):
            audience.wait(lambda: False, 1.0, "")
    raise EvlaError(f"the policy node did not start: {answer.message}")


def _outcome(audience: Audience, instruction: str, seconds: float) -> Outcome:
    gaps_s = np.diff(audience.arrivals_s) if len(audience.arrivals_s) > 2 else np.array([np.nan])
    status, sim = audience.policy, audience.sim
    return Outcome(
        instruction=instruction,
        success=bool(sim is not None and sim.succeeded_once),
        seconds=seconds,
        goal_rate_hz=float(1.0 / np.mean(gaps_s)),
        jitter_p99_ms=float(np.percentile(np.abs(gaps_s - np.median(gaps_s)), 99) * 1e3),
        inference_p50_ms=float(status.inference_p50_ms) if status is not None else 0.0,
        clipped_goals=audience.limited,
        note=str(status.reason_text) if status is not None and audience.goals == 0 else "",
    )
