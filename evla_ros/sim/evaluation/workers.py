# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play planned episodes in this process or in several; the records are the same, in plan order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

from evla_ros.embodiment import parse_embodiment
from evla_ros.sim.evaluation.episode import play_episode
from evla_ros.sim.evaluation.film import film_episode
from evla_ros.sim.evaluation.policies import EvaluatedPolicy, evaluated_policy
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.evaluation.setup import EpisodeJob, MakePlayer, Player, Setup
from evla_ros.sim.world import World
from evla_ros.sim.worlds import make_world
from evla_ros.worker_process import end_with_parent


class SimPlayer:
    """One world and every policy, each built when first used."""

    def __init__(self, setup: Setup) -> None:
        """Compile the world."""
        self._setup = setup
        embodiment = parse_embodiment(setup.embodiment_text)
        self.world: World = make_world(setup.world, embodiment, image_size=setup.image_size)
        self._policies: dict[str, EvaluatedPolicy] = {}

    def play(self, job: EpisodeJob) -> EpisodeRecord:
        """Play one episode, and film it when it failed."""
        name, planned = job
        if name not in self._policies:
            self._policies[name] = evaluated_policy(
                name,
                self.world.embodiment,
                self._setup.threads,
                self._setup.device,
                self._setup.server,
                self._setup.runtime,
            )
        films = self._setup.videos if name == self._setup.policy else None
        played = play_episode(
            self.world,
            self._policies[name],
            planned.task,
            planned.seed,
            self._setup.rules,
            keep_states=films is not None,
        )
        record = replace(played.record, task=planned.label)
        if films is None or not played.states or record.verdict is Verdict.SUCCESS:
            return record
        return replace(
            record, video=str(film_episode(self.world, played, films, self._setup.video_quality))
        )

    def close(self) -> None:
        """Free the world."""
        self.world.close()


def play_all(
    setup: Setup,
    jobs: Sequence[EpisodeJob],
    workers: int,
    make_policy_player: MakePlayer | None = None,
    make_player: MakePlayer = SimPlayer,
) -> Iterator[EpisodeRecord]:
    """Yield the record of each job, in order.

    Args:
        setup: the same for every episode.
        jobs: which policy plays which episode.
        workers: processes; 1 plays in this one.
        make_policy_player: who plays the episodes of `setup.policy` instead, first and in this
            process, such as the real nodes.
        make_player: who plays everything else, in every process; a function or class of a module.
    """
    if make_policy_player is not None:
        yield from _play_here(
            make_policy_player(setup), [j for j in jobs if j.policy == setup.policy]
        )
        jobs = [job for job in jobs if job.policy != setup.policy]
    if workers <= 1:
        yield from _play_here(make_player(setup), jobs)
        return
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start, initargs=(setup, make_player)
    )
    try:
        yield from pool.map(_play, jobs)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _play_here(player: Player, jobs: Sequence[EpisodeJob]) -> Iterator[EpisodeRecord]:
    try:
        yield from map(player.play, jobs)
    finally:
        player.close()


_player: list[Player] = []


def _start(setup: Setup, make_player: MakePlayer) -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _player.append(make_player(setup))


def _play(job: EpisodeJob) -> EpisodeRecord:
    return _player[0].play(job)
