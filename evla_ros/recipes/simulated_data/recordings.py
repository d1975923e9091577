# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Demonstrations recorded as bags by several recorders at once, each in a ROS domain of its own."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.recipes import work
from evla_ros.recipes.jobs import ONE_THREAD, Job
from evla_ros.recipes.simulated_data.settings import Via
from evla_ros.sim.recording import Recording
from evla_ros.training.errors import TrainingError

# Evaluation plays small seeds, `evla train collect` begins at 1,000,000.
FIRST_SEED = 50_000


@dataclass(frozen=True)
class Recordings:
    """Bags to record by several recorders at once.

    Attributes:
        folder: the folder of the recorders' folders.
        episodes: bags, with seeds from `first_seed` on.
        workers: recorders.
        through_graph: records over topics and services in real time, such as
            `evla_ros.ros.simulator.expert_sim.record_through_graph`; None: the same bags in
            lock-step, without ROS.
        world, task, image_size: of every recording.
        domain: ROS domain of the first recorder, the others count on.
    """

    folder: Path
    episodes: int
    workers: int
    through_graph: Callable[[Recording], None] | None = None
    world: str = "tabletop_arm"
    task: str = ""
    image_size: int = 128
    first_seed: int = FIRST_SEED
    domain: int = 70

    def done(self) -> bool:
        """Whether every bag is finished."""
        return all(_finished(self._part(i)) >= n for i, n in enumerate(self._shares()))

    def jobs(self) -> list[Job]:
        """Return what records the bags that are missing."""
        if self.through_graph is None:
            recording = self._recording(0, 0, self.episodes)
            return [Job(work.record, replace(recording, jobs=self.workers))]
        jobs, first = [], 0
        for worker, share in enumerate(self._shares()):
            have = _finished(self._part(worker))
            if have < share:
                recording = self._recording(worker, first + have, share - have)
                jobs.append(Job(self.through_graph, recording, self._environment(worker)))
            first += share
        return jobs

    def _shares(self) -> list[int]:
        if self.through_graph is None:
            return [self.episodes]
        starts = [self.episodes * i // self.workers for i in range(self.workers + 1)]
        return [stop - start for start, stop in itertools.pairwise(starts)]

    def _part(self, worker: int) -> Path:
        return self.folder / f"recorder_{worker}"

    def _recording(self, worker: int, first: int, episodes: int) -> Recording:
        return Recording(
            self._part(worker),
            self.world,
            episodes,
            self.first_seed + first,
            self.task,
            image_size=self.image_size,
        )

    def _environment(self, worker: int) -> dict[str, str]:
        local = {
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "ROS_DOMAIN_ID": str(self.domain + worker),
        }
        return {**ONE_THREAD, **local}


def choose_via(asked: Via) -> Via:
    """Return `ros` or `lockstep`; `auto` takes ROS where it and the interfaces are there.

    Raises TrainingError when ROS is asked for and is not there.
    """
    there = all(_importable(name) for name in ("rclpy", "evla_ros.msg"))
    if asked == "ros" and not there:
        raise TrainingError(
            "--record-via ros needs ROS 2 and the built interfaces; run `make build` and "
            "`. ./env.sh`, or use --record-via lockstep"
        )
    if asked == "auto":
        return "ros" if there else "lockstep"
    return asked


def bag_folders(folder: Path) -> Sequence[Path]:
    """Return the folders of the recorders that hold anything."""
    return sorted(path for path in folder.glob("recorder_*") if any(path.iterdir()))


def _finished(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    bags = [path for path in folder.iterdir() if (path / "metadata.yaml").is_file()]
    return sum(custom_data(read_metadata(bag)).get("state") == "finished" for bag in bags)


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False
