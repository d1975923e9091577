# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A run ends by its time, by a cancel, or by whatever else ends motion; each with its result."""

from __future__ import annotations

from evla_ros.control.policy_run import PolicyRun
from evla_ros.control.reasons import Finding, Reason

S = 1_000_000_000


def look(run: PolicyRun, seconds: float, *, started: bool = True, at_rest: bool = False):
    stop = None if started else Finding(Reason.ESTOP)
    return run.look(round(seconds * S), started=started, at_rest=at_rest, last_stop=stop)


def test_its_time_stops_motion_and_it_succeeds_when_the_hold_has_arrived() -> None:
    run = PolicyRun(0, 2.0)
    assert look(run, 1.9) == (None, None)
    stop = look(run, 2.0).stop
    assert stop is not None
    assert stop.reason is Reason.RUN_ENDED
    assert look(run, 2.1, started=False) == (None, None)
    end = look(run, 2.2, started=False, at_rest=True).end
    assert end is not None
    assert (end.success, end.elapsed_s) == (True, 2.0)
    assert end.finding.reason is Reason.RUN_ENDED


def test_a_cancel_stops_at_once_and_does_not_wait_for_ever() -> None:
    run = PolicyRun(0, 0.0)
    assert look(run, 1000.0) == (None, None), "0 is no limit"
    run.cancel()
    assert look(run, 1000.1).stop == Finding(Reason.RUN_ENDED, "cancelled")
    assert look(run, 1002.0, started=False).end is None
    end = look(run, 1005.2, started=False).end
    assert end is not None
    assert end.success


def test_what_else_ends_motion_is_its_result() -> None:
    end = look(PolicyRun(0, 10.0), 3.0, started=False).end
    assert end is not None
    assert (end.success, end.finding.reason, end.elapsed_s) == (False, Reason.ESTOP, 3.0)


def test_a_clock_that_steps_back_gives_no_negative_time() -> None:
    assert PolicyRun(5 * S, 1.0).elapsed_s(0) == 0.0
