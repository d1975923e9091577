# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The formula for robots per server holds in a simulation of what it leaves out."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.cli.main import main
from evla_ros.serving.capacity import Load, batch_s, period_s, robots, simulate

LOADS = [
    Load(fixed, each, period, deadline, network, jitter)
    for fixed, each in ((0.06, 0.006), (0.02, 0.002), (0.1, 0.03), (0.015, 0.001))
    for period, deadline in ((0.4, 0.4), (1.0, 0.6), (0.8, 0.25))
    for network, jitter in ((0.0, 0.0), (0.01, 0.005), (0.03, 0.02))
]


@pytest.mark.parametrize("load", LOADS)
def test_as_many_robots_as_it_says_are_answered_in_time(load):
    count = robots(load)
    assert count >= 1
    times = simulate(load, count, 100 * load.period_s)
    assert np.mean(times > load.deadline_s) <= 0.01


def test_half_as_many_again_are_not_where_the_deadline_is_what_limits():
    load = Load(0.06, 0.006, 0.4, 0.3)
    times = simulate(load, round(1.5 * robots(load)), 100 * load.period_s)
    assert np.mean(times > load.deadline_s) > 0.1


def test_batches_settle_where_the_formula_says():
    load = Load(0.06, 0.006, 0.4, 10.0)
    times = simulate(load, 40, 200 * load.period_s)
    settled = batch_s(load, 40)
    assert settled == pytest.approx(0.06 / 0.4)
    assert np.mean(times) == pytest.approx(1.5 * settled, rel=0.2)
    assert batch_s(load, 1000) == float("inf")


def test_nobody_is_answered_in_time_where_one_question_takes_longer():
    assert robots(Load(0.5, 0.1, 0.4, 0.4)) == 0
    assert robots(Load(0.15, 0.05, 0.4, 0.4)) == 1
    assert period_s(8, 10.0, 0.4) == pytest.approx(0.4)
    assert period_s(4, 10.0, 0.4) == pytest.approx(0.1)


def test_the_command_prints_it(capsys):
    assert main(["bench", "fleet", "--fixed-ms", "60", "--each-ms", "6"]) == 0
    shown = capsys.readouterr().out
    assert "fleet.robots_per_server" in shown
    assert "fleet.simulated.p99" in shown
