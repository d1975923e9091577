# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every player of an evaluation is told: the setup, and one job after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from evla_ros.policy.remote.address import ServerAddress
from evla_ros.sim.evaluation.episode import EpisodeRules
from evla_ros.sim.evaluation.plan import PlannedEpisode
from evla_ros.sim.evaluation.record import EpisodeRecord


@dataclass(frozen=True)
class Setup:
    """Everything that a player needs to know; small and picklable.

    Attributes:
        world: name of the simulated world.
        embodiment_text: the robot, as YAML.
        policy: the policy that is evaluated, whose failures are filmed.
        rules: the rules of every episode.
        image_size: side of the square camera images in pixels.
        videos: folder of the films, None for no films.
        video_quality: `pretty` or `fast`.
        threads: threads of torch on the CPU; 0 leaves its own choice.
        device: device of the network.
        runtime: what computes it; empty as `PolicySpec` has it, or the node.
        server: address of the policy `remote`.
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
    runtime: str = ""
    server: ServerAddress | None = None


class EpisodeJob(NamedTuple):
    """One episode of one policy (a checkpoint folder, `kind:argument`, or a baseline)."""

    policy: str
    planned: PlannedEpisode


class Player(Protocol):
    """Plays one episode after the other: in the simulator, or through the real nodes."""

    def play(self, job: EpisodeJob) -> EpisodeRecord:
        """Play an episode and return its record."""

    def close(self) -> None:
        """Free what was opened."""


MakePlayer = Callable[[Setup], Player]
