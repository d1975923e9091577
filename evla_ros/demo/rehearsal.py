# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the scripted expert does in an episode, as a path for a policy node that only follows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError
from evla_ros.sim.experts.rollout import run_expert
from evla_ros.sim.experts.style import Style
from evla_ros.sim.world import World


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """One episode: the instruction, and goal poses and openings [T, 8 per arm] that solved it."""

    instruction: str
    seed: int
    path: npt.NDArray[np.float64]


def rehearse(world: World, family: str, seed: int) -> Rehearsal:
    """Let the expert solve (family, seed); raises EvlaError when it does not."""
    task = world.reset(seed, family)
    rows, success = [], False
    for tick in run_expert(world, task, Style(), np.random.default_rng(seed)):
        openings = tick.executed[6::7]
        rows.append(_row(world, openings))
        success = tick.success
    if not success:
        raise EvlaError(
            f"the expert did not solve {task.instruction!r} with seed {seed}; try another --seed"
        )
    return Rehearsal(task.instruction, seed, np.stack(rows))


def _row(world: World, openings: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    pairs = zip(world.arms, openings, strict=True)
    return np.concatenate([[*arm.goal.as_vector(), opening] for arm, opening in pairs])
