# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A short form of the soak that `python -m benchmarks sim` runs at full length."""

from __future__ import annotations

import numpy as np

from benchmarks.soak import soak
from evla_ros.sim.world import World


def test_terrible_commands_neither_break_physics_nor_leak(world: World) -> None:
    report = soak(world, resets=60, steps_per_reset=100)
    assert report.resets == 60
    assert report.steps == 6000
    assert report.refused >= 60
    assert report.not_finite == 0
    assert len(report.memory_mib) == 10
    assert report.growth_mib < 20


def test_the_world_still_works_afterwards(tabletop: World) -> None:
    soak(tabletop, resets=4, steps_per_reset=100)
    tabletop.reset(0, "lift")
    tabletop.apply(np.array([0.0, 0.0, 0.02, 0.0, 0.0, 0.0, 1.0]))
    before = tabletop.arms[0].pose(tabletop.data).position_m[2]
    tabletop.step(0.3)
    rise = tabletop.arms[0].pose(tabletop.data).position_m[2] - before
    assert 0.015 < rise < 0.025
