# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which sample of a stream is due at an instant and has not arrived."""

from __future__ import annotations

import pytest
from control_rig import Rig

from evla_ros.control.reasons import Reason
from evla_ros.control.watchdog import WatchedStream

MS = 1_000_000
NEVER = 10**18


def stream(*stamps_ms: float, delay_ms: float = 1.0) -> WatchedStream:
    found = WatchedStream("pose", 300 * MS, Reason.POSE_MISSING, Reason.POSE_STALE)
    for stamp_ms in stamps_ms:
        found.note(round(stamp_ms * MS), round((stamp_ms + delay_ms) * MS))
    return found


@pytest.mark.parametrize(
    ("time_ms", "owed"),
    [(40, False), (48, False), (50, True), (50.5, True), (57, True), (300, True), (38, False)],
)
def test_the_next_sample_is_due_one_period_after_the_last(time_ms: float, owed: bool) -> None:
    assert stream(10, 20, 30, 40).owes(round(time_ms * MS), NEVER) is owed


def test_a_sample_may_come_a_little_early() -> None:
    assert stream(10, 20, 30, 40).owes(49 * MS, NEVER)
    assert not stream(10, 20, 30, 40).owes(48 * MS, NEVER)


def test_one_gap_does_not_change_the_period() -> None:
    assert stream(10, 20, 30, 60, 70).owes(80 * MS, NEVER)
    assert not stream(10, 20, 30, 60, 70).owes(78 * MS, NEVER)


def test_what_arrives_after_the_wait_is_not_waited_for() -> None:
    slow = stream(10, 20, 30, 40, delay_ms=60.0)
    assert slow.owes(50 * MS, 110 * MS)
    assert not slow.owes(50 * MS, 100 * MS)


def test_nothing_is_expected_of_a_stream_without_a_rhythm() -> None:
    assert not stream().owes(50 * MS, NEVER)
    assert not stream(10).owes(50 * MS, NEVER)
    silent = stream(10, 20, 30)
    silent.clear()
    assert not silent.owes(50 * MS, NEVER)
    silent.note(100 * MS, 101 * MS)
    assert not silent.owes(150 * MS, NEVER)


def test_the_inputs_name_what_is_owed() -> None:
    rig = Rig()
    rig.run(lambda: None, 5)
    inputs = rig.controller.inputs
    assert inputs.owing(rig.now_ns, NEVER) == []
    rig.poses_on = False
    rig.run(lambda: None, 2)
    assert inputs.owing(rig.now_ns, NEVER) == ["pose arm"]
