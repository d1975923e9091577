# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""No episode starts solved, and every episode that starts can be done."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.sim.scenes.tabletop import COLOURS
from evla_ros.sim.world import World
from evla_ros.sim.worlds import make_suite

FAMILIES = sorted(make_suite("tabletop_arm").grammar.families)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_task_is_solved_at_reset(tabletop: World, family: str) -> None:
    for seed in range(25):
        task = tabletop.reset(seed, family)
        assert task.family == family
        assert not tabletop.succeeded()
        assert tabletop.suite.feasible(tabletop, task)
        others = [t for t in tabletop.suite.grammar.tasks if t.family not in ("open", "close")]
        assert not any(tabletop.succeeded(t) for t in others)


def test_named_colours_are_on_the_table(tabletop: World) -> None:
    for seed, task in enumerate(tabletop.suite.grammar.tasks):
        tabletop.reset(seed, task)
        needed = {slot for slot in task.slots if slot in COLOURS}
        assert needed <= set(tabletop.scene.colours)


def test_objects_start_at_rest_on_the_table(tabletop: World) -> None:
    for seed in range(20):
        tabletop.reset(seed)
        for colour in tabletop.scene.colours:
            before = tabletop.scene.block(tabletop.data, colour)
            tabletop.step(0.5)
            after = tabletop.scene.block(tabletop.data, colour)
            assert after == pytest.approx(before, abs=0.002)
            tabletop.reset(seed)


def test_randomisation_is_an_option(tabletop: World) -> None:
    def look(seed: int, randomize: bool) -> np.ndarray:
        tabletop.reset(seed, "open", randomize=randomize)
        model = tabletop.model
        return np.concatenate([model.light_diffuse.ravel(), model.cam_pos.ravel()])

    assert np.array_equal(look(1, False), look(2, False))
    assert not np.array_equal(look(1, True), look(2, True))
    assert np.array_equal(look(1, True), look(1, True))
