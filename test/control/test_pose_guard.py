# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which measured poses are believed: one that the arm cannot have got to is not."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.control.limits import LimitValues
from evla_ros.control.pose_guard import PoseGuard, PoseRules
from evla_ros.control.reasons import Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import Pose, distance

MS = 1_000_000
START_NS = 1_000_000 * MS
LIMITS = load_embodiment("tabletop_arm").arms[0].limits
HOME = Pose.from_xyz_rpy([0.45, 0.0, 0.3], [3.1, 0.0, 0.0])
FALSE = Pose.from_xyz_rpy([2.0, 1.0, 1.5], [0.0, 0.0, 0.0])


def guard(**settings: float) -> PoseGuard:
    rules = PoseRules.of(LimitValues.of(LIMITS), ControlSettings(**settings), 0.2)
    return PoseGuard("arm", rules)


def note(found: PoseGuard, ms: float, pose: Pose) -> bool:
    stamp_ns = START_NS + round(ms * MS)
    return bool(found.note(stamp_ns, stamp_ns, pose))


def standing(until_ms: int = 0) -> PoseGuard:
    """Return a guard that has seen the arm stand for 600 ms."""
    found = guard()
    for ms in range(until_ms - 600, until_ms + 1, 10):
        assert note(found, ms, HOME)
    return found


def beside(x: float = 0.0, yaw: float = 0.0) -> Pose:
    return Pose.from_xyz_rpy([0.45 + x, 0.0, 0.3], [3.1, 0.0, yaw])


@pytest.mark.parametrize(
    "pose",
    [FALSE, Pose.identity(), beside(0.2), beside(-0.12), beside(yaw=1.0)],
    ids=["far", "default", "inside the box", "near", "turned"],
)
def test_a_jump_is_refused_and_named(pose: Pose) -> None:
    found = standing()
    assert not note(found, 10, pose)
    assert found.believed is HOME
    refusal = found.refusal(START_NS + 10 * MS)
    assert refusal is not None
    assert refusal.reason is Reason.INPUT_INVALID
    metres, radians = distance(HOME, pose)
    for part in ("pose arm", "0.010 s", "(0.45, 0, 0.3)", f"{metres:.3f} m", f"{radians:.2f} rad"):
        assert part in refusal.detail
    assert note(found, 20, HOME)
    assert found.refusal(START_NS + 10 * MS + 501 * MS) is None


def test_what_the_arm_can_do_is_believed() -> None:
    found, x = standing(), 0.0
    for ms in range(10, 1000, 10):
        x += 0.005  # at the speed limit
        assert note(found, ms, beside(x + (ms % 20) / 20 * 0.004))  # and noise
    assert note(found, 1000, beside(x + 0.09))  # it catches up with a goal


def test_many_small_steps_get_no_further_than_one_large_one() -> None:
    found, x = standing(), 0.0
    for ms in range(10, 200, 10):
        x += 0.04  # 4 m/s
        note(found, ms, beside(x))
    assert distance(found.believed, HOME)[0] < 0.1 + 0.5 * 0.2 + 0.04


@pytest.mark.parametrize("size", [1e308, -1e308, 1e30, 1001.0])
def test_a_pose_beyond_reason_is_refused_even_as_the_first(size: float) -> None:
    absurd = Pose(np.array([size, size, 0.0]), np.array([0.0, 0.0, 0.0, 1.0]))
    found = guard()
    assert not note(found, 0, absurd)
    assert found.believed is None
    for ms in range(10, 2000, 10):
        assert not note(found, ms, absurd)
    assert "1000 m" in found.refusal(START_NS + 1990 * MS).detail


def test_a_jump_that_goes_on_is_believed_and_told_once() -> None:
    found = standing()
    taken = [note(found, 10 + ms, beside(0.2)) for ms in range(0, 520, 10)]
    assert taken == [False] * 50 + [True] * 2
    assert distance(found.believed, beside(0.2))[0] == 0.0
    jump = found.take_jump()
    assert jump is not None
    assert jump.reason is Reason.INPUT_INVALID
    assert found.take_jump() is None
    assert found.turns == 1
    assert found.refusal(START_NS + 540 * MS) is None


def test_poses_that_confirmed_a_jump_are_handed_over_together() -> None:
    found = standing()
    for ms in range(10, 510, 10):
        assert found.note(START_NS + ms * MS, START_NS + ms * MS, FALSE) == []
    samples = found.note(START_NS + 510 * MS, START_NS + 510 * MS, FALSE)
    assert [stamp for stamp, _ in samples] == [START_NS + ms * MS for ms in range(10, 520, 10)]


@pytest.mark.parametrize("pattern", ["TF", "TTTF", "TFFF", "FFFFFFFFFT"])
def test_two_sources_in_turn_never_change_where_the_arm_is_believed(pattern: str) -> None:
    found = standing()
    for index in range(300):
        true = pattern[index % len(pattern)] == "T"
        assert note(found, 10 * (index + 1), HOME if true else FALSE) == true
        assert found.refusal(START_NS + 10 * (index + 1) * MS) or index < len(pattern)
    assert found.turns == 0


def test_refused_poses_that_do_not_agree_are_never_believed() -> None:
    found, rng = standing(), np.random.default_rng(0)
    for ms in range(10, 5000, 10):
        wild = Pose(rng.uniform(5, 15, 3), np.array([0.0, 0.0, 0.0, 1.0]))
        assert not note(found, ms, wild)


def test_after_a_gap_a_pose_elsewhere_needs_confirming_and_is_no_jump() -> None:
    found = standing()
    assert not note(found, 1500, beside(0.25))
    refusal = found.refusal(START_NS + 1500 * MS)
    assert refusal is not None
    assert refusal.reason is Reason.POSE_UNCONFIRMED
    taken = [note(found, 1500 + ms, beside(0.25)) for ms in range(10, 520, 10)]
    assert taken[-1]
    assert found.take_jump() is None
    assert note(standing(), 1500, beside(0.05))  # and one where it stood is believed at once


def test_a_first_pose_is_believed_and_not_confirmed() -> None:
    found = guard()
    assert note(found, 0, HOME)
    assert not found.confirmed
    assert note(found, 490, HOME)
    assert not found.confirmed
    assert note(found, 500, HOME)
    assert found.confirmed
    assert guard(pose_confirm_s=0.0).confirmed is False
    quick = guard(pose_confirm_s=0.0)
    note(quick, 0, HOME)
    assert quick.confirmed


def test_a_stamp_far_ahead_is_refused_and_blocks_nothing() -> None:
    found = standing()
    now_ns = START_NS + 10 * MS
    assert not found.note(now_ns + 3_600_000 * MS, now_ns, HOME)
    refusal = found.refusal(now_ns)
    assert refusal is not None
    assert refusal.reason is Reason.STAMP_SKEW
    assert "3600 s ahead" in refusal.detail
    assert note(found, 20, HOME)


@pytest.mark.parametrize("jump_ms", [-3_600_000, 3_600_000])
def test_after_a_clock_jump_the_arm_is_where_it_was(jump_ms: int) -> None:
    found = standing()
    found.clock_jumped()
    assert found.confirmed
    assert found.believed is HOME
    assert not note(found, jump_ms, FALSE)
    assert note(found, jump_ms + 10, HOME)
    assert note(found, jump_ms + 20, beside(0.004))
