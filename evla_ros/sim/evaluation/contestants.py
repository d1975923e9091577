# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who is evaluated: a name and, per episode, a policy; baselines and checkpoints look the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from evla_ros.embodiment import Embodiment, load_embodiment
from evla_ros.errors import EvlaError, nearest
from evla_ros.policy.protocol import Policy
from evla_ros.policy.spec import KINDS, PolicySpec, build_policy
from evla_ros.sim.description import describe
from evla_ros.sim.evaluation.baselines import ExpertPolicy, RandomPolicy

if TYPE_CHECKING:
    from evla_ros.sim.world import World

BASELINES = ("expert", "random", "hold")


@dataclass(frozen=True)
class Contestant:
    """name: shown in reports. begin: (world, seed) -> the policy of one episode.

    sees_images: whether frames have to be rendered for it. baseline: a yardstick, whose computing
    time is never charged.
    """

    name: str
    begin: Callable[[World, int], Policy]
    sees_images: bool
    baseline: bool


def make_contestant(
    spec: str, embodiment: Embodiment, threads: int = 0, device: str = "cpu"
) -> Contestant:
    """Return a baseline by name, or the policy that `policy_spec` describes.

    threads, device: of torch; 0 threads leaves its own choice. Raises EvlaError when the spec is
    neither, or when the checkpoint was made for another robot.
    """
    if spec in BASELINES:
        return Contestant(spec, _BASELINES[spec], sees_images=False, baseline=True)
    built = build_policy(replace(policy_spec(spec, embodiment), threads=threads, device=device))

    warm: list[bool] = []

    def begin(world: World, _seed: int) -> Policy:
        if not warm:  # as the policy node does when it is configured; the first answer is slow
            built.infer(world.observe())
            warm.append(True)
        built.reset()
        return built

    return Contestant(spec, begin, sees_images=True, baseline=False)


def policy_spec(spec: str, embodiment: Embodiment) -> PolicySpec:
    """Return what the policy node would build, from a checkpoint folder or `kind:argument`.

    Raises EvlaError when it is neither.
    """
    if Path(spec).is_dir():
        return PolicySpec("evla", embodiment.text, checkpoint=spec)
    kind, _, argument = spec.partition(":")
    if kind not in KINDS:
        raise EvlaError(
            f"no policy {spec!r}: neither a checkpoint folder nor a baseline; "
            f"{nearest(spec, list(dict.fromkeys([*BASELINES, *KINDS])))}"
        )
    return PolicySpec(kind, embodiment.text, checkpoint=argument)


def embodiment_for(spec: str, world: str) -> Embodiment:
    """Return the checkpoint's own embodiment, else the one shipped for the world."""
    own = Path(spec) / "embodiment.yaml"
    if spec not in BASELINES and own.is_file():
        return load_embodiment(own)
    return load_embodiment(describe(world).embodiment)


def _hold(world: World, _seed: int) -> Policy:
    return build_policy(PolicySpec("hold", world.embodiment.text))


_BASELINES: dict[str, Callable[[World, int], Policy]] = {
    "expert": lambda world, _: ExpertPolicy(world),
    "random": lambda world, seed: RandomPolicy(world.embodiment, seed),
    "hold": _hold,
}
