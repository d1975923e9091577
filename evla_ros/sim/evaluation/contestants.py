# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who is evaluated: a name and, for every episode, a policy. Baselines and checkpoints look the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError, nearest
from evla_ros.policy.protocol import Policy
from evla_ros.sim.evaluation.baselines import ExpertPolicy, HoldPolicy, RandomPolicy

if TYPE_CHECKING:
    from evla_ros.sim.world import World

BASELINES = ("expert", "random", "hold")


@dataclass(frozen=True)
class Contestant:
    """name: shown in reports. begin: (world, seed) -> the policy of one episode.

    sees_images: whether frames have to be rendered for it. baseline: whether it is a yardstick, whose
    computing time is never charged.
    """

    name: str
    begin: Callable[[World, int], Policy]
    sees_images: bool
    baseline: bool


def make_contestant(spec: str, embodiment: Embodiment) -> Contestant:
    """Return a baseline by name, or the policy of a checkpoint folder.

    Raises EvlaError when it is neither, or when the checkpoint was made for another robot.
    """
    if spec == "expert":
        return Contestant(
            spec, lambda world, _: ExpertPolicy(world), sees_images=False, baseline=True
        )
    if spec == "random":
        return Contestant(
            spec,
            lambda world, seed: RandomPolicy(world.embodiment, seed),
            sees_images=False,
            baseline=True,
        )
    if spec == "hold":
        return Contestant(
            spec, lambda world, _: HoldPolicy(world.embodiment), sees_images=False, baseline=True
        )
    folder = Path(spec)
    if not folder.is_dir():
        raise EvlaError(
            f"no policy {spec!r}: neither a checkpoint folder nor a baseline; {nearest(spec, BASELINES)}"
        )
    return _checkpoint(folder, embodiment)


def _checkpoint(folder: Path, embodiment: Embodiment) -> Contestant:
    policy = load_checkpoint_policy(folder)
    if policy.embodiment_hash not in ("", embodiment.content_hash):
        raise EvlaError(
            f"the checkpoint {folder} was made for another robot than {embodiment.name!r} "
            f"({_difference(folder, embodiment)}); evaluate it in the world it was made for"
        )

    def begin(_world: World, _seed: int) -> Policy:
        policy.reset()
        return policy

    return Contestant(str(folder), begin, sees_images=True, baseline=False)
