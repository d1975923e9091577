# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play planned episodes in this process or in several; the records are the same, in plan order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from evla_ros.embodiment import parse_embodiment
from evla_ros.sim.evaluation.contestants import Contestant, make_contestant
from evla_ros.sim.evaluation.episode import EpisodeRules, play_episode
from evla_ros.sim.evaluation.film import film_episode
from evla_ros.sim.evaluation.plan import PlannedEpisode
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.world import World
from evla_ros.sim.worlds import make_world
from evla_ros.worker_process import end_with_parent


@dataclass(frozen=True)
class Setup:
    """Everything a worker needs to know; small and picklable. threads: of torch, 0: its own choice.

    policy: the one whose failures are filmed. videos: folder of the films, None for no films.
    """

    world: str
    embodiment_text: str
    policy: str
    rules: EpisodeRules
    image_size: int
    videos: Path | None = None
    video_quality: str = "pretty"
    threads: int = 0
    device: str = "cpu"
    through_ros: bool = False
    ros_speed: float = 1.0


Job = tuple[str, PlannedEpisode]


class Player:
    """One world and every contestant, each built when first used."""

    def __init__(self, setup: Setup) -> None:
        """Compile the world."""
        self._setup = setup
        embodiment = parse_embodiment(setup.embodiment_text)
        self.world: World = make_world(setup.world, embodiment, image_size=setup.image_size)
        self._contestants: dict[str, Contestant] = {}

    def play(self, job: Job) -> EpisodeRecord:
        """Play one episode, and film it when it failed."""
        spec, planned = job
        if spec not in self._contestants:
            self._contestants[spec] = make_contestant(
                spec, self.world.embodiment, self._setup.threads, self._setup.device
            )
        films = self._setup.videos if spec == self._setup.policy else None
        played = play_episode(
            self.world,
            self._contestants[spec],
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


def play_all(setup: Setup, jobs: Sequence[Job], workers: int) -> Iterator[EpisodeRecord]:
    """Yield the record of each job, in order."""
    if setup.through_ros:
        yield from _play_through_ros(setup, [p for spec, p in jobs if spec == setup.policy])
        jobs = [job for job in jobs if job[0] != setup.policy]
    if workers <= 1:
        player = Player(setup)
        try:
            yield from map(player.play, jobs)
        finally:
            player.close()
        return
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start, initargs=(setup,)
    )
    try:
        yield from pool.map(_play, jobs)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _play_through_ros(setup: Setup, plan: Sequence[PlannedEpisode]) -> Iterator[EpisodeRecord]:
    from evla_ros.ros.sim_evaluation import RosPlayer

    player = RosPlayer(setup)
    try:
        yield from map(player.play, plan)
    finally:
        player.close()


_player: list[Player] = []


def _start(setup: Setup) -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _player.append(Player(setup))


def _play(job: Job) -> EpisodeRecord:
    return _player[0].play(job)
