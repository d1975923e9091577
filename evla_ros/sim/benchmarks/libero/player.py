# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play episodes of LIBERO step by step: wait, look, ask the server, act some steps, look."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evla_ros.data.view.mp4 import write_mp4
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import Array
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.sim.benchmarks.libero.environment import LiberoTask, Seen
from evla_ros.sim.benchmarks.libero.server import LiberoServer
from evla_ros.sim.benchmarks.libero.suites import EXECUTE, MOST_STEPS, RATE_HZ, WAIT_STEPS
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.evaluation.setup import EpisodeJob, Setup

_FILM_EVERY = 2
_STILL: Array = np.array([0.0] * 6 + [-1.0])  # an open gripper is -1 to robosuite
HOLD = "hold"


@dataclass(frozen=True)
class LiberoSetup(Setup):
    """What a player of LIBERO needs to know beside the rest.

    Attributes:
        execute: actions of an answer that are played before the next look.
        most_steps: steps of an episode; 0: those of its suite.
    """

    execute: int = EXECUTE
    most_steps: int = 0


@dataclass
class _Run:
    solved: bool = False
    steps: int = 0
    path_m: float = 0.0
    inference_ms: list[float] = field(default_factory=list)
    pictures: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    note: str = ""


class LiberoPlayer:
    """One scene at a time, and one connection, which is made when first asked."""

    def __init__(self, setup: Setup) -> None:
        """Take the setup."""
        assert isinstance(setup, LiberoSetup)  # noqa: S101 - a caller of ours, not a user
        self._setup = setup
        self._name: tuple[str, int] | None = None
        self._task: LiberoTask | None = None
        self._server: LiberoServer | None = None

    def play(self, job: EpisodeJob) -> EpisodeRecord:
        """Play one episode until its success or its last step; film it where asked to."""
        planned = job.planned
        suite, number = split_label(planned.label)
        task = self._scene(suite, number)
        run = self._run(task, suite, planned.seed)
        verdict = Verdict.SUCCESS if run.solved else Verdict.FAILURE
        return EpisodeRecord(
            policy=job.policy,
            task=planned.label,
            seed=planned.seed,
            instruction=task.instruction,
            verdict=Verdict.NO_ANSWER if run.note else verdict,
            duration_s=run.steps / RATE_HZ,
            path_m=(round(run.path_m, 6),),
            goals=run.steps,
            chunks=len(run.inference_ms),
            inference_ms=tuple(run.inference_ms),
            note=run.note,
            video=self._film(run, planned.label, planned.seed),
        )

    def close(self) -> None:
        """Free the scene and the connection."""
        if self._task is not None:
            self._task.close()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None

    def _scene(self, suite: str, number: int) -> LiberoTask:
        if self._task is None or self._name != (suite, number):
            if self._task is not None:
                self._task.close()
            self._task, self._name = LiberoTask(suite, number), (suite, number)
        return self._task

    def _run(self, task: LiberoTask, suite: str, start: int) -> _Run:
        run, seen = _Run(), task.reset(start)
        for _ in range(WAIT_STEPS):
            seen, _ = task.step(_STILL)
        waiting: list[Array] = []
        for step in range(self._setup.most_steps or MOST_STEPS[suite]):
            if self._setup.videos is not None and step % _FILM_EVERY == 0:
                run.pictures.append(np.hstack([seen.images["primary"], seen.images["wrist"]]))
            if not waiting:
                try:
                    waiting = self._ask(seen, task.instruction, run)
                except EvlaError as error:
                    run.note = str(error)
                    self._hang_up()
                    return run
            before_m = seen.tool_m
            seen, run.solved = task.step(waiting.pop(0))
            run.steps += 1
            run.path_m += float(np.linalg.norm(seen.tool_m - before_m))
            if run.solved:
                break
        return run

    def _ask(self, seen: Seen, instruction: str, run: _Run) -> list[Array]:
        server = self._setup.server
        if server is None:
            return [_STILL]
        if self._server is None:
            self._server = LiberoServer(server)
        before_ns = time.perf_counter_ns()
        actions = self._server.ask(seen, instruction)
        run.inference_ms.append((time.perf_counter_ns() - before_ns) / 1e6)
        return list(actions[: self._setup.execute])

    def _film(self, run: _Run, label: str, start: int) -> str | None:
        folder = self._setup.videos
        if folder is None or not run.steps or (run.solved and start):
            return None
        ended = "solved" if run.solved else "failed"
        path = Path(folder) / f"{label.replace(' ', '-')}-start{start}-{ended}.mp4"
        write_mp4(path, run.pictures, RATE_HZ / _FILM_EVERY)
        return str(path)


def label_of(suite: str, number: int) -> str:
    """Return how the score of a task is called."""
    return f"{suite} {number}"


def split_label(label: str) -> tuple[str, int]:
    """Return suite and number of a label."""
    suite, _, number = label.partition(" ")
    return suite, int(number)


def setup_of(
    server: ServerAddress | None, execute: int, most_steps: int, videos: Path | None
) -> LiberoSetup:
    """Return the setup of every player."""
    from evla_ros.sim.evaluation.episode import EpisodeRules

    return LiberoSetup(
        world="libero",
        embodiment_text="",
        policy=server.url if server else HOLD,
        rules=EpisodeRules(),
        image_size=0,
        videos=videos,
        server=server,
        execute=execute,
        most_steps=most_steps,
    )
