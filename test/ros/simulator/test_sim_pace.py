# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from evla_ros.ros.simulator.pace import Pace

TICK_NS = 20_000_000
SECOND_NS = 1_000_000_000


def ticks_until(pace: Pace, end_ns: int, step_ns: int, cost_ns: int = 0) -> int:
    """Poll every `step_ns`, each tick costing `cost_ns`; return how many ran."""
    now_ns = count = 0
    while now_ns < end_ns:
        while now_ns < end_ns and pace.due(now_ns):
            now_ns += cost_ns
            pace.done(now_ns)
            count += 1
        now_ns += step_ns
    return count


@pytest.mark.parametrize(("speed", "expected"), [(1.0, 100), (2.0, 200), (0.5, 50)])
def test_ticks_follow_the_wall_clock(speed: float, expected: int) -> None:
    pace = Pace(TICK_NS, speed)
    assert ticks_until(pace, 2 * SECOND_NS, 3_000_000) == pytest.approx(expected, abs=1)
    assert pace.factor(2 * SECOND_NS) == pytest.approx(speed, abs=0.05)
    assert pace.lost_ns == 0


def test_a_slow_machine_is_reported_and_does_not_pile_up_debts() -> None:
    pace = Pace(TICK_NS, 1.0)
    count = ticks_until(pace, 4 * SECOND_NS, 1_000_000, cost_ns=40_000_000)
    assert count == pytest.approx(100, abs=3)
    assert pace.factor(4 * SECOND_NS) == pytest.approx(0.5, abs=0.05)
    assert pace.lost_ns > SECOND_NS


def test_a_pause_is_not_made_up_for() -> None:
    pace = Pace(TICK_NS, 1.0)
    ticks_until(pace, SECOND_NS, 5_000_000)
    burst = 0
    while pace.due(10 * SECOND_NS):
        burst += 1
    assert burst <= 11


def test_no_factor_before_the_first_tick() -> None:
    assert Pace(TICK_NS, 1.0).factor(SECOND_NS) == 0.0
