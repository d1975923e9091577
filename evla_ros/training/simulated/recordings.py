# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Demonstrations recorded as bags by several recorders at once, each in a ROS domain of its own."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.training.errors import TrainingError
from evla_ros.training.experiments.stages import Job

# Evaluation plays small seeds, `evla train collect` begins at 1,000,000.
FIRST_SEED = 50_000
VIA = ("auto", "ros", "lockstep")


@dataclass(frozen=True)
class Recordings:
    """episodes: bags to record under `folder`, by `workers` recorders; seeds from `first_seed`.

    via: `ros` plays expert, simulated robot and recorder over topics and services in real time;
    `lockstep` writes the same bags without ROS. domain: of the first recorder, the others count on.
    """

    folder: Path
    episodes: int
    workers: int
    via: str = "ros"
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
        if self.via == "lockstep":
            return [Job([*self._words(self._part(0), 0, self.episodes), f"--jobs={self.workers}"])]
        jobs, first = [], 0
        for worker, share in enumerate(self._shares()):
            have = _finished(self._part(worker))
            if have < share:
                words = self._words(self._part(worker), first + have, share - have)
                jobs.append(Job([*words, "--ros"], self._environment(worker)))
            first += share
        return jobs

    def _shares(self) -> list[int]:
        if self.via == "lockstep":
            return [self.episodes]
        starts = [self.episodes * i // self.workers for i in range(self.workers + 1)]
        return [stop - start for start, stop in itertools.pairwise(starts)]

    def _part(self, worker: int) -> Path:
        return self.folder / f"recorder_{worker}"

    def _words(self, out: Path, first: int, episodes: int) -> list[str]:
        words = ["-m", "evla_ros", "record", f"--world={self.world}", f"--out={out}"]
        words += [f"--seed={self.first_seed + first}", f"--episodes={episodes}"]
        words += [f"--image-size={self.image_size}", "--operator=scripted expert"]
        return [*words, f"--task={self.task}"] if self.task else words

    def _environment(self, worker: int) -> dict[str, str]:
        here = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "OMP_NUM_THREADS": "1"}
        return {**here, "ROS_DOMAIN_ID": str(self.domain + worker)}


def choose_via(asked: str) -> str:
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
