# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A scripted demonstration played without a graph, tick by tick."""

from __future__ import annotations

import numpy as np

from evla_ros.sim.experts.style import Style


def played(world, seed, ticks, task=None):
    """States [T, 8] before, and clean labels [T, 7] of the very demonstration of a seed."""
    task = world.reset(seed, task)
    expert = world.suite.expert(world, task, Style.sample(np.random.default_rng(seed), 0.0))
    states, labels = [], []
    for _ in range(ticks):
        states.append(world.proprio())
        labels.append(expert.act())
        world.apply(labels[-1])
        world.tick()
    return np.array(states), np.array(labels)
