# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Resets by the thousand under the worst commands: is physics finite, does memory stay flat."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evla_ros.geometry.pose import Pose
from evla_ros.sim.world import World

_COMMANDS = ("random", "not finite", "a metre away", "expert-like")
_MIB = 2**20


@dataclass(frozen=True)
class SoakReport:
    """What happened.

    Attributes:
        resets: how many.
        steps: of the physics, in all.
        refused: commands that the world did not take.
        not_finite: resets after which the state had a number that is not finite.
        memory_mib: resident memory after each tenth of the resets.
    """

    resets: int
    steps: int
    refused: int
    not_finite: int
    memory_mib: tuple[float, ...]

    @property
    def growth_mib(self) -> float:
        """Memory gained after the first tenth, in which caches fill."""
        return self.memory_mib[-1] - self.memory_mib[0]


def soak(world: World, resets: int, steps_per_reset: int, seed: int = 0) -> SoakReport:
    """Reset and step a world under random, non-finite and far-away commands.

    Args:
        world: is changed.
        resets: how many.
        steps_per_reset: physics steps after each.
        seed: of the first reset, and of the commands.

    Raises:
        SimError: the world refuses a reset or its physics blows up.
    """
    rng = np.random.default_rng(seed)
    memory: list[float] = []
    refused = not_finite = 0
    ticks = max(1, round(steps_per_reset * world.model.opt.timestep * world.embodiment.rate_hz))
    steps_per_tick = max(1, steps_per_reset // ticks)
    for index in range(resets):
        world.reset(seed + index)
        for tick in range(ticks):
            _command(world, _COMMANDS[(index + tick) % len(_COMMANDS)], rng)
            world.step(steps_per_tick * world.model.opt.timestep)
        refused += world.rejected_commands
        not_finite += not np.isfinite(world.save_state().physics).all()
        if (index + 1) % max(1, resets // 10) == 0:
            memory.append(resident_mib())
    return SoakReport(resets, resets * ticks * steps_per_tick, refused, not_finite, tuple(memory))


def resident_mib() -> float:
    """Return this process's resident memory in MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def _command(world: World, kind: str, rng: np.random.Generator) -> None:
    if kind == "a metre away":
        for arm in world.arms:
            away = rng.normal(size=3)
            goal = arm.pose(world.data).position_m + away / np.linalg.norm(away)
            world.command(arm.name, Pose(goal, rng.normal(size=4)), float(rng.integers(2)))
        return
    spread = {"random": 0.2, "not finite": 0.05, "expert-like": 0.02}[kind]
    action = rng.normal(0.0, spread, world.action_dim)
    if kind == "not finite":
        action[int(rng.integers(world.action_dim))] = rng.choice([np.nan, np.inf, -np.inf])
    world.apply(action)
