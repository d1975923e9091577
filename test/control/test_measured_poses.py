# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A measured pose is an input, not a command: no goal follows one that cannot be true."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from control_rig import TICK_NS, Rig

from evla_ros.control.reasons import Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.geometry import Pose, distance

MS = 1_000_000
FAR = Pose.from_xyz_rpy([2.0, 1.0, 1.5], [0.0, 0.0, 0.0])
HUGE = Pose(np.array([1e308, -1e308, 1e308]), np.array([0.0, 0.0, 0.0, 1.0]))
INSIDE = Pose.from_xyz_rpy([0.3, 0.3, 0.1], [3.1, 0.0, 0.0])
LIES = {"default": Pose.identity(), "far": FAR, "huge": HUGE, "inside the box": INSIDE}


def moving_rig(**kwargs: object) -> Rig:
    rig = Rig(**kwargs)
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving
    return rig


def lie(rig: Rig, pose: Pose, arm: int = 0) -> None:
    """Let a pose arrive between this tick and the next."""
    stamp_ns = rig.now_ns + 1
    rig.controller.note_pose(arm, stamp_ns, pose, stamp_ns)


def assert_goals_are_safe(rig: Rig, arm: int = 0, first: int = 0) -> None:
    """Check the box, and the speed from goal to goal, holds included."""
    limits = rig.embodiment.arms[arm].limits
    goals = [tick.arms[arm].goal for tick in rig.ticks[first:]]
    for before, goal in itertools.pairwise(goals):
        if goal is None:
            continue
        assert np.all(goal.position_m >= np.array(limits.workspace_min_m) - 1e-9)
        assert np.all(goal.position_m <= np.array(limits.workspace_max_m) + 1e-9)
        if before is not None:
            metres, radians = distance(before, goal)
            assert metres <= limits.max_speed_m_s * 0.02 * (1 + 1e-6)
            assert radians <= limits.max_rotation_rad_s * 0.02 * (1 + 1e-6)


@pytest.mark.parametrize("pose", LIES.values(), ids=LIES)
def test_one_false_pose_is_no_goal(pose: Pose) -> None:
    rig = moving_rig()
    before = rig.measured[0]
    rig.controller.arms[0].note_pose(rig.now_ns + TICK_NS, pose)
    rig.now_ns += TICK_NS
    rig.monotonic_ns += TICK_NS
    tick = rig.controller.tick(rig.now_ns, rig.monotonic_ns)
    rig.ticks.append(tick)
    assert not tick.moving
    assert tick.finding.reason is Reason.INPUT_INVALID
    assert "pose arm" in tick.finding.detail
    held = rig.run(lambda: rig.chunk(0.02), 20)[-1].arms[0].goal
    assert distance(held, before)[0] < 0.02
    assert_goals_are_safe(rig)
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving  # one glitch heals by itself


@pytest.mark.parametrize("pose", LIES.values(), ids=LIES)
@pytest.mark.parametrize("ms", [40, 300, 2000])
def test_false_poses_for_a_while_are_no_goal(pose: Pose, ms: int) -> None:
    rig = moving_rig()
    before = rig.measured[0]
    rig.poses_on = False
    for _ in range(ms // 20):
        lie(rig, pose)
        rig.step(lambda: rig.chunk(0.02))
    rig.poses_on = True
    rig.run(lambda: rig.chunk(0.02), 100)
    assert_goals_are_safe(rig)
    assert rig.controller.started == (ms < 500)
    if pose is not INSIDE:  # a place inside the box may be true, if it is told for long enough
        goals = [tick.arms[0].goal for tick in rig.ticks[30 : 30 + ms // 20]]
        assert all(distance(goal, before)[0] < 0.1 for goal in goals if goal is not None)


def test_a_pose_that_stays_where_it_jumped_ends_motion_and_names_the_jump() -> None:
    rig = moving_rig()
    rig.measured[0], rig.follow = INSIDE, 0.0
    for _ in range(25):
        tick = rig.step(lambda: rig.chunk(0.02))
        assert tick.finding.reason is Reason.INPUT_INVALID
        assert rig.controller.started
    rig.run(lambda: rig.chunk(0.02), 1)
    assert not rig.controller.started
    stop = rig.controller.last_stop.finding
    assert stop.reason is Reason.INPUT_INVALID
    assert "to (0.3, 0.3, 0.1)" in stop.detail
    assert_goals_are_safe(rig)
    rig.run(None, 60)
    rig.follow = 0.4
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving


def test_a_false_pose_in_the_tick_of_the_stop_is_not_held() -> None:
    rig = moving_rig()
    where = rig.measured[0]
    lie(rig, Pose.identity())
    rig.controller.stop(rig.now_ns)
    ticks = rig.run(None, 40)
    assert distance(ticks[-1].arms[0].goal, where)[0] < 0.02
    assert_goals_are_safe(rig)


def test_a_hold_latches_anew_when_what_it_latched_turns_out_wrong() -> None:
    rig = Rig(settings=ControlSettings(hold_publish_s=0.0), follow=0.0)
    truth, rig.measured[0] = rig.home, INSIDE
    rig.run(None, 60)  # a false source, believed for want of another
    rig.start()
    rig.run(None, 5)
    rig.controller.stop(rig.now_ns)
    assert distance(rig.run(None, 10)[-1].arms[0].goal, INSIDE)[0] < 1e-9
    rig.measured[0] = truth
    rig.run(None, 20)
    assert distance(rig.ticks[-1].arms[0].goal, INSIDE)[0] < 1e-9
    rig.run(None, 100)
    assert distance(rig.ticks[-1].arms[0].goal, truth)[0] < 1e-9
    assert_goals_are_safe(rig)


def test_two_sources_in_turn_hold_then_stop() -> None:
    rig = moving_rig()
    before = rig.measured[0]
    for _ in range(150):
        lie(rig, FAR)
        rig.step(lambda: rig.chunk(0.02))
        assert not rig.ticks[-1].moving
    assert_goals_are_safe(rig)
    assert not rig.controller.started
    assert rig.controller.last_stop.finding.reason is Reason.INPUT_INVALID
    assert distance(rig.measured[0], before)[0] < 0.02
    assert rig.controller.start(rig.now_ns).reason is Reason.INPUT_INVALID


def test_a_first_pose_is_not_started_from_until_others_confirm_it() -> None:
    rig = Rig(settings=ControlSettings(pose_confirm_s=0.0))  # the rig itself waits no time
    young = Rig()
    young.controller = type(rig.controller)(young.embodiment, young.settings)
    young.controller.set_instruction("go")
    young.sense()
    assert young.controller.start(young.now_ns).reason is Reason.POSE_UNCONFIRMED
    young.run(None, 24)
    assert young.ticks[-1].finding.reason is Reason.POSE_UNCONFIRMED
    young.run(None, 1)
    young.start()


def test_a_robot_found_outside_its_box_gets_silence() -> None:
    settings = ControlSettings(resume_after_teleop=True)
    rig = moving_rig(settings=settings)
    rig.controller.inputs.set_teleop(True)
    for step in range(100):  # a person takes it out of the box
        rig.measured[0] = Pose.from_xyz_rpy([0.5 + step * 0.004, 0, 0.3], [3.1, 0, 0])
        rig.step()
    rig.controller.inputs.set_teleop(False)
    ticks = rig.run(lambda: rig.chunk(0.02), 20)
    assert {tick.finding.reason for tick in ticks} == {Reason.OUTSIDE_WORKSPACE}
    assert all(tick.arms[0].goal is None for tick in ticks)


def test_an_arm_pushed_out_of_its_box_is_not_followed_there() -> None:
    rig = moving_rig()
    for step in range(80):
        rig.measured[0] = Pose.from_xyz_rpy([0.6 + step * 0.004, 0, 0.3], [3.1, 0, 0])
        rig.step(lambda: rig.chunk(0.02))
    assert_goals_are_safe(rig)
    assert rig.ticks[-1].finding.reason is Reason.OUTSIDE_WORKSPACE


def test_after_teleoperation_nothing_moves_to_a_pose_that_went_stale() -> None:
    rig = moving_rig(settings=ControlSettings(resume_after_teleop=True))
    rig.controller.inputs.set_teleop(True)
    rig.run(lambda: rig.chunk(0.02), 10)
    rig.poses_on = False
    moved = INSIDE
    rig.run(lambda: rig.chunk(0.02), 100)
    rig.controller.inputs.set_teleop(False)
    ticks = rig.run(lambda: rig.chunk(0.02), 40)
    assert all(tick.arms[0].goal is None for tick in ticks)
    assert ticks[-1].finding.reason is Reason.POSE_STALE
    rig.poses_on, rig.measured[0] = True, moved
    ticks = rig.run(lambda: rig.chunk(0.02), 60)
    first = next(tick.arms[0].goal for tick in ticks if tick.arms[0].goal is not None)
    assert distance(first, moved)[0] < 0.01
    assert ticks[-1].moving


def test_a_hand_over_forgets_what_the_gripper_was_told() -> None:
    rig = moving_rig(settings=ControlSettings(resume_after_teleop=True))
    assert rig.ticks[-1].arms[0].opening == 1.0
    rig.controller.inputs.set_teleop(True)
    rig.run(lambda: rig.chunk(0.02), 5)
    rig.controller.inputs.set_teleop(False)
    ticks = rig.run(lambda: rig.chunk(0.02, opening=0.5), 20)
    assert ticks[-1].moving
    assert all(tick.arms[0].opening is None for tick in ticks)  # 0.5 decides nothing


def test_the_other_arm_holds_too() -> None:
    rig = moving_rig(name="humanoid_upper_body")
    lie(rig, Pose.identity(), arm=1)
    rig.run(lambda: rig.chunk(0.02), 20)
    assert not rig.ticks[-1].moving
    assert "pose right" in rig.ticks[-1].finding.detail
    for arm in (0, 1):
        assert_goals_are_safe(rig, arm)


def test_a_pose_stamped_ahead_of_time_blocks_no_longer_than_it_is_new() -> None:
    rig = moving_rig()
    now_ns = rig.now_ns + 1
    assert not rig.controller.note_pose(0, now_ns + 3_600_000 * MS, FAR, now_ns)
    tick = rig.step(lambda: rig.chunk(0.02))
    assert tick.finding.reason is Reason.STAMP_SKEW
    rig.run(lambda: rig.chunk(0.02), 60)
    assert rig.ticks[-1].moving


def test_a_start_while_the_hold_is_under_way_goes_on_from_its_goal() -> None:
    rig = moving_rig()
    rig.controller.stop(rig.now_ns)
    rig.run(None, 2)
    assert not rig.controller.at_rest
    rig.start()
    rig.run(lambda: rig.chunk(-0.02), 40)
    assert_goals_are_safe(rig)
    assert rig.ticks[-1].moving


def test_a_stop_during_teleoperation_sends_nothing() -> None:
    rig = moving_rig()
    rig.controller.inputs.set_teleop(True)
    rig.controller.inputs.set_estop(True)
    ticks = rig.run(None, 10)
    assert {tick.finding.reason for tick in ticks} == {Reason.ESTOP}
    assert all(tick.arms[0].goal is None for tick in ticks)
