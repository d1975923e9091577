# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policies of an evaluation on Meta-World: its scripted expert, a random walk, any of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.embodiment import Embodiment, load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.policy.types import Chunk, Observation
from evla_ros.sim.benchmarks.metaworld.suite import ScriptedExpert
from evla_ros.sim.benchmarks.metaworld.world import DESCRIPTION
from evla_ros.sim.description import check_embodiment
from evla_ros.sim.evaluation.baselines import RandomPolicy
from evla_ros.sim.evaluation.policies import EvaluatedPolicy, evaluated_policy


class ExpertPolicy:
    """Meta-World's scripted expert as a policy: it sees the simulator's state, one step at a time.

    A chunk of one action, because the next one depends on what that one did.
    """

    chunk_length = 1

    def __init__(self, world: Any) -> None:
        self.embodiment_hash = world.embodiment.content_hash
        self.action_dim = world.action_dim
        self._expert = ScriptedExpert(world, world.task)

    def infer(self, observation: Observation) -> Chunk:
        """Return the expert's action for the present state of the world."""
        return Chunk(observation.stamp_ns, np.stack([self._expert.act()]))

    def reset(self) -> None:
        """Nothing is remembered: each episode gets a new one."""


def metaworld_policy(
    spec: str, embodiment: Embodiment, threads: int = 0, device: str = "cpu", runtime: str = ""
) -> EvaluatedPolicy:
    """Return `expert`, `random`, or what `evaluated_policy` makes of the words; EvlaError too."""
    if spec == "expert":
        return EvaluatedPolicy(
            spec, lambda world, _: ExpertPolicy(world), sees_images=False, baseline=True
        )
    if spec == "random":
        return EvaluatedPolicy(
            spec,
            lambda world, seed: RandomPolicy(world.embodiment, seed),
            sees_images=False,
            baseline=True,
        )
    return evaluated_policy(spec, embodiment, threads, device, runtime=runtime)


def robot_of(spec: str) -> Embodiment:
    """Return the robot of a policy, which has to be Meta-World's; EvlaError when it is another."""
    shipped = load_embodiment(DESCRIPTION.embodiment)
    own = Path(spec) / "embodiment.yaml"
    if not own.is_file():
        return shipped
    robot = load_embodiment(own)
    if robot.name != shipped.name:
        raise EvlaError(
            f"the checkpoint {spec!r} is for the robot {robot.name!r}, Meta-World's is "
            f"{shipped.name!r}; `evla train metaworld` makes one for it"
        )
    check_embodiment(DESCRIPTION, robot)
    return robot
