# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the scripted expert does in an episode, as a path for a policy node that only follows it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError
from evla_ros.policy.path import NUMBERS_PER_ARM
from evla_ros.sim.experts.rollout import run_expert
from evla_ros.sim.experts.style import Style
from evla_ros.sim.world import World

_ARRIVE_TICKS, _GRIP_TICKS = 3, 4


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """An episode that the expert solved.

    Attributes:
        instruction: instruction of the task.
        seed: seed of the episode.
        path: goal of every tick, [T, D]: per arm position in m, quaternion xyzw, gripper opening;
            then x y yaw of the base, then the position of every axis.
    """

    instruction: str
    seed: int
    path: npt.NDArray[np.float64]


def rehearse(world: World, family: str, seed: int) -> Rehearsal:
    """Let the expert solve a task of a family.

    Raises:
        EvlaError: it does not, with this seed.
    """
    # By its instruction, as the nodes do it: that a family is drawn from moves all other draws.
    task = world.reset(seed, world.reset(seed, family).instruction)
    rows, success = [], False
    for tick in run_expert(world, task, Style(), np.random.default_rng(seed)):
        rows.append(_row(world, tick.executed))
        success = tick.success
    if not success:
        raise EvlaError(
            f"the expert did not solve {task.instruction!r} with seed {seed}; try another --seed"
        )
    grippers = [NUMBERS_PER_ARM * (arm + 1) - 1 for arm in range(len(world.arms))]
    return Rehearsal(task.instruction, seed, with_pauses(np.stack(rows), grippers))


def with_pauses(path: npt.NDArray[np.float64], grippers: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return a path [T, D] that waits before and after a gripper (one of these columns) switches.

    The expert sees when its hand has arrived and holds something; who follows its path does not.
    """
    rows = [path[0]]
    for before, row in itertools.pairwise(path):
        if np.any(before[grippers] != row[grippers]):
            arriving = row.copy()
            arriving[grippers] = before[grippers]
            rows += [arriving] * _ARRIVE_TICKS + [row] * _GRIP_TICKS
        rows.append(row)
    return np.stack(rows)


def _row(world: World, action: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    openings = action[list(world.columns.grippers)]
    pairs = zip(world.arms, openings, strict=True)
    parts = [np.array([*arm.goal.as_vector(), opening]) for arm, opening in pairs]
    if world.base is not None:
        parts.append(world.base.place(world.data))
    return np.concatenate([*parts, [axis.goal for axis in world.axes]])
