# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every score is read against: the scripted expert above, a random walk (and hold) below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evla_ros.control.limits.moving_parts import RobotLimits
from evla_ros.embodiment import Embodiment, action_columns
from evla_ros.geometry.delta import delta_between
from evla_ros.geometry.pose import Array
from evla_ros.policy.types import Chunk, Observation
from evla_ros.sim.experts.style import Style

if TYPE_CHECKING:
    from evla_ros.sim.world import World


class _Baseline:
    def __init__(self, embodiment: Embodiment) -> None:
        self.embodiment_hash = embodiment.content_hash
        self.chunk_length = embodiment.action.chunk
        self.columns = action_columns(embodiment)
        self.action_dim = self.columns.size

    def reset(self) -> None:
        """Nothing is remembered between episodes: each gets a new baseline."""


class RandomPolicy(_Baseline):
    """A smooth random walk of every arm; grippers toggle now and then."""

    _MEMORY = 0.9
    _SPREAD = 0.5
    _TOGGLE = 0.05

    def __init__(self, embodiment: Embodiment, seed: int) -> None:
        super().__init__(embodiment)
        self._rng = np.random.default_rng([seed, 7])
        self._limits = RobotLimits.of(embodiment)
        limits = [arm.limits for arm in embodiment.arms]
        self._steps = np.array([[x.max_step_m] * 3 + [x.max_step_rad] * 3 for x in limits])
        self._velocity = np.zeros((len(limits), 6))
        self._open = np.ones(len(limits), dtype=bool)

    def infer(self, observation: Observation) -> Chunk:
        """Return the next K steps of the walk."""
        rows = np.stack([self._row() for _ in range(self.chunk_length)])
        return Chunk(observation.stamp_ns, rows)

    def _row(self) -> Array:
        kick = self._rng.standard_normal(self._velocity.shape)
        spread = self._SPREAD * np.sqrt(1.0 - self._MEMORY**2)
        self._velocity = self._MEMORY * self._velocity + spread * kick
        self._open ^= self._rng.random(len(self._open)) < self._TOGGLE
        parts = [np.clip(self._velocity, -1.0, 1.0) * self._steps, self._open[:, None]]
        return np.concatenate([np.concatenate(parts, axis=1).ravel(), *self._others()])

    def _others(self) -> list[Array]:
        """Return a random velocity of the base and a random position of every axis."""
        others: list[Array] = []
        base = self._limits.base
        if base is not None:
            most = [base.max_speed_m_s, base.max_lateral_m_s, base.max_rotation_rad_s]
            others.append(self._rng.uniform(-0.5, 0.5, 3) * np.array(most))
        others += [self._rng.uniform(axis.min, axis.max, 1) for axis in self._limits.axes]
        return others


class ExpertPolicy(_Baseline):
    """The scripted expert as a policy: rolls a copy of the state forward, returns its goals.

    It sees the simulator's state, not the images: the upper bound that the control core leaves.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world.embodiment)
        self._world = world

    def infer(self, observation: Observation) -> Chunk:
        """Return the expert's chunk for the instruction; the world is as before afterwards."""
        world = self._world
        task = world.suite.grammar.parse(observation.instruction)
        expert = world.suite.expert(world, task, Style())
        before = world.save_state()
        rows = np.empty((self.chunk_length, self.action_dim))
        last = [arm.pose(world.data) for arm in world.arms]
        for row in rows:
            row[:] = expert.act()
            world.apply(row)
            goals = [arm.goal for arm in world.arms]
            for i, (arm, columns) in enumerate(zip(world.arms, self.columns.arms, strict=True)):
                row[columns] = [*delta_between(last[i], goals[i]), arm.grip_goal]
            last = goals
            world.tick()
        world.load_state(before)
        return Chunk(observation.stamp_ns, rows)
