# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run one episode and judge it; its states are kept, so that only failures need rendering."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from evla_ros.control.settings import ControlSettings
from evla_ros.sim.errors import UnstablePhysicsError
from evla_ros.sim.evaluation.closed_loop import ClosedLoop
from evla_ros.sim.evaluation.policies import EvaluatedPolicy
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.simulation import SimulationState
from evla_ros.sim.tasks.task import Task
from evla_ros.sim.world import World

FILM_HZ = 6.25


@dataclass(frozen=True)
class EpisodeRules:
    """The rules of an episode, the same for every policy.

    Attributes:
        max_s: simulated time allowed.
        charge_inference: whether chunks come as late as they took to compute (not of baselines).
        added_latency_s: how much later every chunk comes (not of baselines).
        randomize: whether the seed also draws colours, light and camera.
        settings: settings of the control core.
    """

    max_s: float = 20.0
    charge_inference: bool = False
    added_latency_s: float = 0.0
    randomize: bool = True
    settings: ControlSettings = field(default_factory=ControlSettings)


@dataclass(frozen=True, eq=False)
class Played:
    """The record of an episode, and its states every 1 / FILM_HZ seconds (if asked for)."""

    record: EpisodeRecord
    states: tuple[SimulationState, ...]


def play_episode(
    world: World,
    policy: EvaluatedPolicy,
    task: str | Task,
    seed: int,
    rules: EpisodeRules,
    *,
    keep_states: bool = False,
) -> Played:
    """Reset the world, and let a policy act until success, a stop or `rules.max_s`.

    Args:
        world: is changed.
        policy: what acts.
        task: a family, an instruction or a task.
        seed: seed of the start state.
        rules: the same for every policy.
        keep_states: whether the states are kept, to film the episode afterwards.
    """
    chosen = world.reset(seed, task, rules.randomize)
    label = task if isinstance(task, str) else task.family
    if world.succeeded():
        verdict = Verdict.SOLVED_AT_RESET
        start = EpisodeRecord(policy.name, label, seed, chosen.instruction, verdict, 0.0)
        return Played(start, (world.save_state(),))
    loop = ClosedLoop(
        world,
        policy.begin(world, seed),
        rules.settings,
        sees_images=policy.sees_images,
        charge_inference=rules.charge_inference and not policy.baseline,
        added_latency_s=0.0 if policy.baseline else rules.added_latency_s,
    )
    blocker = loop.start(chosen.instruction)
    note = "" if blocker is None else blocker.text
    states: list[SimulationState] = []
    try:
        solved = blocker is None and _run(loop, rules.max_s, states if keep_states else None)
        verdict = _verdict(loop, solved=solved)
    except UnstablePhysicsError as error:
        verdict, note = Verdict.UNSTABLE, str(error)
    stop = loop.controller.last_stop
    if verdict is Verdict.FAILURE and stop is not None:
        note = f"stopped: {stop.finding.text}"
    return Played(_record(loop, policy, label, seed, verdict, note or loop.failure), tuple(states))


def _run(loop: ClosedLoop, max_s: float, states: list[SimulationState] | None) -> bool:
    embodiment = loop.world.embodiment
    check_every = max(1, round(embodiment.goal_rate_hz / embodiment.rate_hz))
    film_every = max(1, round(embodiment.goal_rate_hz / FILM_HZ))
    for tick in range(round(max_s * embodiment.goal_rate_hz)):
        if states is not None and tick % film_every == 0:
            states.append(loop.world.save_state())
        going = loop.step()
        if (tick + 1) % check_every == 0 and loop.world.succeeded():
            return True
        if not going:
            return False
    return False


def _verdict(loop: ClosedLoop, *, solved: bool) -> Verdict:
    if loop.goals == 0:
        return Verdict.NO_ACTION
    return Verdict.SUCCESS if solved else Verdict.FAILURE


def _record(
    loop: ClosedLoop, policy: EvaluatedPolicy, label: str, seed: int, verdict: Verdict, note: str
) -> EpisodeRecord:
    world = loop.world
    state = world.save_state()
    digest = hashlib.sha256(state.physics.tobytes())
    for part in (*state.arms, *state.others):
        digest.update(part.tobytes())
    return EpisodeRecord(
        policy=policy.name,
        task=label,
        seed=seed,
        instruction=world.task.instruction if world.task else "",
        verdict=verdict,
        duration_s=round(world.time_ns / 1e9, 6),
        path_m=tuple(round(float(m), 6) for m in loop.path_m),
        goals=loop.goals,
        limited=loop.limited,
        chunks=loop.controller.policy.chunks,
        clipped=loop.clipped(),
        holds=dict(sorted(loop.holds.items())),
        inference_ms=tuple(loop.inference_ms),
        digest=digest.hexdigest(),
        note=note,
    )
