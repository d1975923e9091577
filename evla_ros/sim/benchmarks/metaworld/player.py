# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play episodes of Meta-World step by step, as published rows were: look, act some steps, look."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field, replace

import numpy as np

from evla_ros.embodiment import parse_embodiment
from evla_ros.errors import EvlaError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.types import Observation
from evla_ros.sim.benchmarks.metaworld.policies import metaworld_policy
from evla_ros.sim.benchmarks.metaworld.world import MetaWorld
from evla_ros.sim.evaluation.episode import FILM_HZ, Played
from evla_ros.sim.evaluation.film import film_episode
from evla_ros.sim.evaluation.policies import EvaluatedPolicy
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.evaluation.setup import EpisodeJob, Setup
from evla_ros.sim.simulation import SimulationState


@dataclass(frozen=True)
class MetaWorldSetup(Setup):
    """What a player of Meta-World needs to know beside the rest.

    Attributes:
        execute: actions of a chunk that are played before the next look; 0: half of the chunk.
        most_steps: steps of an episode.
        first_seed: whose episodes are filmed, solved or not; of others failures alone.
    """

    execute: int = 0
    most_steps: int = 500
    first_seed: int = 0


@dataclass
class _Run:
    """What happens in an episode, as it happens."""

    solved: bool = False
    steps: int = 0
    chunks: int = 0
    path_m: float = 0.0
    inference_ms: list[float] = field(default_factory=list)
    states: list[SimulationState] = field(default_factory=list)
    note: str = ""


class MetaWorldPlayer:
    """One world, and every policy, each built when first used."""

    def __init__(self, setup: Setup) -> None:
        """Take the setup; raises EvlaError when the robot is not Meta-World's."""
        assert isinstance(setup, MetaWorldSetup)  # noqa: S101 - a caller of ours, not a user
        self._setup = setup
        self.world = MetaWorld(parse_embodiment(setup.embodiment_text), image_size=setup.image_size)
        self._policies: dict[str, EvaluatedPolicy] = {}

    def play(self, job: EpisodeJob) -> EpisodeRecord:
        """Play one episode until its success or its last step; film it where asked to."""
        name, planned = job
        setup, world = self._setup, self.world
        task = world.reset(planned.seed, planned.task)
        films = setup.videos if name == setup.policy else None
        run = self._run(self._policy(name), planned.seed, keep=films is not None)
        verdict = Verdict.SUCCESS if run.solved else Verdict.FAILURE
        record = EpisodeRecord(
            policy=name,
            task=planned.label,
            seed=planned.seed,
            instruction=task.instruction,
            verdict=Verdict.NO_ANSWER if run.note else verdict,
            duration_s=round(world.time_ns / 1e9, 6),
            path_m=(round(run.path_m, 6),),
            goals=run.steps,
            chunks=run.chunks,
            inference_ms=tuple(run.inference_ms),
            digest=hashlib.sha256(world.save_state().physics.tobytes()).hexdigest(),
            note=run.note,
        )
        if films is None or (run.solved and planned.seed != setup.first_seed):
            return record
        played = Played(record, (*run.states, world.save_state()))
        path = film_episode(world, played, films, setup.video_quality)  # type: ignore[arg-type]
        return replace(record, video=str(path))

    def close(self) -> None:
        """Free the world."""
        self.world.close()

    def _policy(self, name: str) -> EvaluatedPolicy:
        if name not in self._policies:
            setup = self._setup
            self._policies[name] = metaworld_policy(
                name, self.world.embodiment, setup.threads, setup.device, setup.runtime
            )
        return self._policies[name]

    def _run(self, evaluated: EvaluatedPolicy, seed: int, *, keep: bool) -> _Run:
        world, run = self.world, _Run()
        policy: Policy = evaluated.begin(world, seed)  # type: ignore[arg-type]
        count = self._setup.execute or -(-policy.chunk_length // 2)
        film_every = max(1, round(world.embodiment.rate_hz / FILM_HZ))
        waiting: list[np.ndarray] = []
        for step in range(self._setup.most_steps):
            if keep and step % film_every == 0:
                run.states.append(world.save_state())
            if not waiting:
                try:
                    waiting = self._ask(policy, evaluated, run)[:count]
                except EvlaError as error:
                    run.note = str(error)
                    return run
            before = world.observation[:3]
            world.apply(waiting.pop(0))
            world.tick()
            run.steps += 1
            run.path_m += float(np.linalg.norm(world.observation[:3] - before))
            if world.succeeded():
                run.solved = True
                return run
        return run

    def _ask(self, policy: Policy, evaluated: EvaluatedPolicy, run: _Run) -> list[np.ndarray]:
        world = self.world
        images = world.images() if evaluated.sees_images else {}
        instruction = world.task.instruction if world.task else ""
        seen = Observation(world.time_ns, images, world.proprio(), instruction)
        before_ns = time.perf_counter_ns()
        actions = list(policy.infer(seen).actions)
        run.inference_ms.append((time.perf_counter_ns() - before_ns) / 1e6)
        run.chunks += 1
        return actions
