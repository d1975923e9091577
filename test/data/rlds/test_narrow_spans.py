# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Noise of a number that stands still, and motions too rare for quantiles: one rule for all."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.data.rlds.narrow_spans import SPAN_FLOOR, narrow_numbers, settle
from evla_ros.data.rlds.statistics import StatisticsCollector, column_statistics
from evla_ros.model.normalization import make_normalizer

STEPS = 320
FINE, NOISE, RARE, STILL, SLOW, GRIPPER = range(6)
MASK = [True] * 5 + [False]


@pytest.fixture(scope="module")
def values():
    """Return [N, 6]: motion, noise, a turn in 3 steps, zero, one just wide enough, a gripper."""
    random = np.random.default_rng(0)
    columns = np.zeros((STEPS, 6), np.float32)
    columns[:, FINE] = random.normal(0, 0.01, STEPS)
    columns[:, NOISE] = random.normal(0, 1e-6, STEPS)
    columns[10:13, RARE] = 0.15
    columns[:, SLOW] = np.linspace(-1.1, 1.1, STEPS) * SPAN_FLOOR
    columns[:, GRIPPER] = 1.0
    return columns


@pytest.fixture(scope="module")
def normalizer(values):
    collector = StatisticsCollector()
    collector.add(values, values)
    return make_normalizer(collector.result(MASK)["action"], "q99", "test")


def test_noise_is_not_taught(normalizer, values):
    normalised = normalizer.normalize(values)
    assert (normalised[:, [NOISE, STILL]] == 0).all()
    assert np.abs(normalizer.unnormalize(normalised)[:, NOISE]).max() < 1e-6
    wild = normalizer.unnormalize(np.ones((1, 6)))
    assert np.abs(wild[:, [NOISE, STILL]]).max() < 1e-6


def test_a_rare_motion_survives_the_round_trip(normalizer, values):
    back = normalizer.unnormalize(normalizer.normalize(values))
    np.testing.assert_allclose(back[:, RARE], values[:, RARE], atol=1e-6)
    assert sorted({round(float(v), 3) for v in normalizer.normalize(values)[:, RARE]}) == [-1, 1]


def test_what_moves_is_left_alone(normalizer, values):
    entry = column_statistics(values, "action")
    for index in (FINE, SLOW):
        assert normalizer.low[index] == entry["q01"][index]
        assert normalizer.high[index] == entry["q99"][index]
    assert (normalizer.normalize(values)[:, GRIPPER] == 1).all()


def test_settling_twice_changes_nothing_more(values):
    once = settle({**column_statistics(values, "action"), "mask": MASK})
    assert settle(once) == once
    assert once["min"][NOISE] == once["max"][NOISE] == once["mean"][NOISE]


def test_every_number_is_named_with_its_reason(values):
    found = {number.column: number for number in narrow_numbers(values, MASK)}
    assert {index: number.span for index, number in found.items()} == {
        NOISE: "noise",
        RARE: "rare",
        STILL: "constant",
    }
    assert "less than 0.0001 (0.1 mm, 0.1 mrad): noise" in found[NOISE].text
    assert "in 3 of 320 steps" in found[RARE].text
    assert "its extremes 0 and 0.15" in found[RARE].text


@pytest.mark.parametrize("method", ["q99", "min_max", "mean_std"])
def test_scales_are_what_a_unit_is_worth(values, method):
    entry = settle({**column_statistics(values, "action"), "mask": MASK})
    normalizer = make_normalizer(entry, method, "test")
    assert (normalizer.scale >= 0).all()
    step = np.zeros((1, 6))
    moved = normalizer.unnormalize(step + 1) - normalizer.unnormalize(step)
    np.testing.assert_allclose(normalizer.scale, moved[0])
