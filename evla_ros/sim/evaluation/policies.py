# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policies of an evaluation: baselines and checkpoints are used in the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from evla_ros.embodiment import Embodiment, load_embodiment
from evla_ros.errors import EvlaError, nearest
from evla_ros.policy.protocol import Policy
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.policy.spec import KINDS, PolicySpec, build_policy
from evla_ros.sim.description import describe
from evla_ros.sim.evaluation.baselines import ExpertPolicy, RandomPolicy

if TYPE_CHECKING:
    from evla_ros.sim.world import World

BASELINES = ("expert", "random", "hold")


@dataclass(frozen=True)
class EvaluatedPolicy:
    """A policy and what an evaluation has to know of it.

    Attributes:
        name: shown in reports.
        begin: returns the policy of one episode, for (world, seed).
        sees_images: whether frames have to be rendered for it.
        baseline: whether the others are compared with it; its computing time is never charged.
    """

    name: str
    begin: Callable[[World, int], Policy]
    sees_images: bool
    baseline: bool


def evaluated_policy(
    spec: str,
    embodiment: Embodiment,
    threads: int = 0,
    device: str = "cpu",
    server: ServerAddress | None = None,
    runtime: str = "",
) -> EvaluatedPolicy:
    """Return a baseline by name, or the policy that `policy_spec` describes.

    Args:
        spec: a baseline, a checkpoint folder, or `kind:argument`.
        embodiment: the robot.
        threads: threads of torch on the CPU; 0 leaves its own choice.
        device: device of the network.
        server: address of the policy `remote`.
        runtime: what computes the network of a checkpoint; empty: as exported, else torch.

    Raises:
        EvlaError: the spec is none of these, or the checkpoint was made for another robot.
    """
    if spec in BASELINES:
        return EvaluatedPolicy(spec, _BASELINES[spec], sees_images=False, baseline=True)
    asked = policy_spec(spec, embodiment, server)
    if runtime and asked.kind != "evla":
        raise EvlaError(f"--runtime {runtime} has no effect with the policy {spec!r}")
    built = build_policy(replace(asked, threads=threads, device=device, runtime=runtime))

    warm: list[bool] = []

    def begin(world: World, _seed: int) -> Policy:
        if not warm:  # as the policy node does when it is configured; the first answer is slow
            built.infer(world.observe())
            warm.append(True)
        built.reset()
        return built

    return EvaluatedPolicy(spec, begin, sees_images=True, baseline=False)


def policy_spec(
    spec: str, embodiment: Embodiment, server: ServerAddress | None = None
) -> PolicySpec:
    """Return what the policy node would build, from a checkpoint folder or `kind:argument`.

    Raises EvlaError when it is neither.
    """
    if spec == "remote" and server is not None:
        return PolicySpec(
            "remote",
            embodiment.text,
            server=server.url,
            token_file=server.token_file,
            ca_file=server.ca_file,
            image_encoding="raw",
        )
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


_BASELINES: dict[str, Callable[[World, int], Policy]] = {
    "expert": lambda world, _: ExpertPolicy(world),
    "random": lambda world, seed: RandomPolicy(world.embodiment, seed),
    "hold": lambda world, _: build_policy(PolicySpec("hold", world.embodiment.text)),
}
