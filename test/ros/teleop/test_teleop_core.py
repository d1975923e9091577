# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teleoperation without a graph: authority, bumpless hand-over, dead-man, devices."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose, distance
from evla_ros.ros.teleop.command import TeleopCommand
from evla_ros.ros.teleop.core import TeleopCore, TeleopSettings
from evla_ros.ros.teleop.devices import Clutched, JoyMap, Joystick, console_command
from evla_ros.ros.teleop.keyboard import Keyboard

MS = 1_000_000
ONE = load_embodiment("tabletop_arm")
TWO = load_embodiment("humanoid_upper_body")
HOME = Pose.from_xyz_rpy([0.45, 0.0, 0.3], [np.pi, 0.0, 0.3])


def push(axis=0, value=1.0, **fields):
    linear = np.zeros(3)
    linear[axis] = value
    return TeleopCommand(True, linear=linear, **fields)


LET_GO = TeleopCommand(dead_man=False)
STICK = TeleopSettings()


def core(body=ONE, pose=HOME, settings=STICK):
    made = TeleopCore(body, settings)
    for arm in range(len(body.arms)):
        confirm(made, pose, 0, arm)
    return made


def confirm(teleop, pose, until_ms, arm=0):
    """Let the arm stand there for long enough to be believed."""
    for ms in range(until_ms - 600, until_ms + 1, 100):
        teleop.on_pose(arm, ms * MS, pose)


def run(teleop, start_ms, stop_ms, command=None, source="joy", follow=True):
    """Tick at 50 Hz; the robot follows at once. Returns the ticks."""
    ticks = []
    for ms in range(start_ms, stop_ms, 20):
        if command is not None:
            teleop.on_command(source, command, ms * MS)
        tick = teleop.tick(ms * MS)
        for index, arm in enumerate(tick.arms):
            if follow and arm.goal is not None:
                teleop.on_pose(index, ms * MS, arm.goal)
        ticks.append(tick)
    return ticks


def test_nothing_is_sent_before_a_dead_man_is_held():
    assert all(a.goal is None for tick in run(core(), 0, 200) for a in tick.arms)


def test_first_goal_is_the_measured_pose_and_motion_is_limited():
    ticks = run(core(), 0, 1000, push())
    assert distance(ticks[0].arms[0].goal, HOME)[0] < 1e-9
    steps = [distance(a.arms[0].goal, b.arms[0].goal)[0] for a, b in itertools.pairwise(ticks)]
    assert max(steps) <= 0.2 * 0.02 + 1e-9
    assert ticks[-1].arms[0].goal.position_m[0] > 0.55
    box = ONE.arms[0].limits.workspace_max_m[0]
    ticks = run(core(), 0, 5000, push())
    assert ticks[-1].arms[0].goal.position_m[0] <= box + 1e-9


def test_let_go_holds_the_measured_pose_then_falls_silent():
    teleop = core()
    run(teleop, 0, 500, push())
    measured = Pose.from_xyz_rpy([0.47, 0.01, 0.3], [np.pi, 0, 0.3])
    teleop.on_pose(0, 500 * MS, measured)
    ticks = run(teleop, 500, 1200, LET_GO, follow=False)
    held = [t for t in ticks if t.arms[0].goal is not None]
    assert 15 <= len(held) < 30  # 0.3 s, or until the goal is where the arm is
    assert distance(held[-1].arms[0].goal, measured)[0] < 1e-3
    steps = [distance(a.arms[0].goal, b.arms[0].goal)[0] for a, b in itertools.pairwise(held)]
    assert max(steps) <= ONE.arms[0].limits.max_speed_m_s * 0.02 + 1e-9
    assert all(t.active for t in held)
    assert not ticks[-1].active
    assert ticks[-1].holder == "idle"


def test_device_that_falls_silent_is_let_go():
    teleop = core()
    run(teleop, 0, 500, push())
    ticks = run(teleop, 500, 1500)
    assert ticks[5].active
    assert ticks[20].holder == "hold"
    assert ticks[-1].arms[0].goal is None


def test_take_over_anchors_where_the_policy_left_the_arm():
    teleop = core()
    run(teleop, 0, 300, push())
    run(teleop, 300, 1500, LET_GO)
    elsewhere = Pose.from_xyz_rpy([0.35, -0.2, 0.25], [np.pi, 0.1, -0.4])
    teleop.on_policy(1490 * MS, moving=True)
    assert teleop.tick(1500 * MS).holder == "policy"
    confirm(teleop, elsewhere, 1500)
    ticks = run(teleop, 1520, 1560, push())
    metres, radians = distance(ticks[0].arms[0].goal, elsewhere)
    assert metres < 1e-9
    assert radians < 1e-9


def test_stale_measured_pose_blocks_the_start_with_its_arm():
    teleop = core()
    ticks = run(teleop, 1000, 1100, push())
    assert "no fresh pose of arm 0" in ticks[0].problem
    assert not ticks[0].active


def test_other_arm_is_held_while_one_moves():
    ticks = run(core(TWO), 0, 600, push(arm=1))
    assert all(distance(t.arms[0].goal, HOME)[0] < 1e-12 for t in ticks)
    assert distance(ticks[-1].arms[1].goal, HOME)[0] > 0.05


def test_hand_is_followed_relative_to_the_clutch_and_scaled():
    teleop = core(settings=TeleopSettings(speed_m_s=2.0, scale=0.5))
    start = Pose.from_xyz_rpy([3.0, 2.0, 1.0], [0.2, 0.1, 0.0])
    moved = Pose.from_xyz_rpy([3.1, 2.0, 1.0], [0.2, 0.1, 0.4])
    run(teleop, 0, 200, TeleopCommand(True, device_pose=start), "pose")
    ticks = run(teleop, 200, 2200, TeleopCommand(True, device_pose=moved), "pose")
    goal = ticks[-1].arms[0].goal
    np.testing.assert_allclose(goal.position_m - HOME.position_m, [0.05, 0, 0], atol=1e-3)
    assert distance(goal, HOME)[1] == pytest.approx(0.2, abs=0.01)


def test_joystick_needs_its_dead_man_and_toggles_on_press():
    stick = Joystick(2, JoyMap(axes=(1, -1, 4, 99, 99, 3)))
    axes = [0.5, 1.0, 0, -0.3, 0.04]
    free = stick.command(axes, [0] * 6)
    assert not free.dead_man
    held = stick.command(axes, [0, 0, 0, 0, 1, 0])
    np.testing.assert_allclose(held.linear, [1.0, -0.5, 0.0])  # 0.04 is in the dead zone
    np.testing.assert_allclose(held.angular, [0, 0, -0.3])
    assert stick.command(axes, [1, 0, 0, 0, 1, 0]).opening == 0.0
    assert stick.command(axes, [1, 0, 0, 0, 1, 0]).opening == 0.0
    assert stick.command([], [0, 0, 0, 0, 0, 1]).arm == 1


def test_keyboard_moves_while_keys_repeat_and_calls_the_recorder():
    keys = Keyboard(1)
    assert keys.press("w", 0.0) == []
    assert keys.command(0.5).linear[0] == 0.5
    assert not keys.command(0.7).dead_man
    assert keys.press("rxyn", 1.0) == ["toggle", "discard", "mark_success", "mark_failure"]
    keys.press("g", 2.0)
    assert keys.command(2.1).opening == 0.0


def test_twist_in_another_frame_and_broken_hand_are_refused():
    from evla_ros.errors import EvlaError

    hand = Clutched(0, "base_link", has_clutch=True)
    xyz = SimpleNamespace(x=0.1, y=0.0, z=0.0)
    twist = SimpleNamespace(
        header=SimpleNamespace(frame_id="map"), twist=SimpleNamespace(linear=xyz, angular=xyz)
    )
    with pytest.raises(EvlaError, match="'map'"):
        hand.twist(twist, 0.2, 0.8)
    twist.header.frame_id = "base_link"
    assert not hand.twist(twist, 0.2, 0.8).dead_man
    hand.held = True
    assert hand.twist(twist, 0.2, 0.8).linear[0] == pytest.approx(0.5)
    turn = SimpleNamespace(x=0.0, y=0.0, z=0.0, w=0.0)
    pose = SimpleNamespace(pose=SimpleNamespace(position=xyz, orientation=turn))
    with pytest.raises(EvlaError, match="no direction"):
        hand.pose(pose)


@pytest.mark.parametrize("pose", [Pose.identity(), Pose.from_xyz_rpy([2.0, 1.0, 1.5], [0, 0, 0])])
def test_a_false_pose_is_neither_taken_over_from_nor_let_go_to(pose):
    teleop = core()
    teleop.on_pose(0, 10 * MS, pose)
    ticks = run(teleop, 20, 200, push(), follow=False)
    assert not any(tick.active for tick in ticks)
    assert "(0.45, 0, 0.3)" in ticks[0].problem
    teleop.on_pose(0, 500 * MS, HOME)
    moving = run(teleop, 600, 1000, push())
    assert moving[-1].active
    last = moving[-1].arms[0].goal
    teleop.on_pose(0, 990 * MS, pose)
    held = [tick.arms[0].goal for tick in run(teleop, 1000, 1500, LET_GO, follow=False)]
    goals = [goal for goal in held if goal is not None]
    assert all(distance(goal, last)[0] < 0.02 for goal in goals)
    assert len(goals) >= 15


def test_driving_ends_when_an_arm_turns_out_to_be_elsewhere():
    teleop = core()
    run(teleop, 20, 500, push())
    elsewhere = Pose.from_xyz_rpy([0.3, 0.3, 0.2], [np.pi, 0.0, 0.3])
    for ms in range(500, 1100, 20):
        teleop.on_pose(0, ms * MS, elsewhere)
        ticks = run(teleop, ms, ms + 20, push(), follow=False)
    assert ticks[-1].holder == "hold"
    assert "press it again" in ticks[-1].problem
    run(teleop, 1100, 3000, LET_GO)
    confirm(teleop, elsewhere, 3600)
    ticks = run(teleop, 3620, 3700, push())
    assert ticks[0].active
    assert distance(ticks[0].arms[0].goal, elsewhere)[0] < 1e-9


def test_the_emergency_stop_holds_for_teleoperation_too():
    teleop = core()
    run(teleop, 20, 500, push())
    where = teleop.tick(500 * MS).arms[0].goal
    assert teleop.button.set(True)
    assert not teleop.button.set(True)
    assert not teleop.button.reset()
    ticks = run(teleop, 520, 1500, push())
    assert "emergency stop" in ticks[0].problem
    assert all(distance(t.arms[0].goal, where)[0] < 0.02 for t in ticks if t.active)
    assert not ticks[-1].active
    teleop.button.set(False)
    run(teleop, 1500, 1600, LET_GO)
    assert not any(tick.active for tick in run(teleop, 1600, 1700, push()))  # not reset
    assert teleop.button.reset()
    assert not any(tick.active for tick in run(teleop, 1700, 2000, push()))  # still held down
    run(teleop, 2000, 2100, LET_GO)
    confirm(teleop, where, 2700)
    assert run(teleop, 2720, 2800, push())[-1].active


def test_a_held_dead_man_drives_once_the_stop_button_has_had_time_to_be_found():
    teleop = core()
    teleop.graph.set_listening(True)
    ticks = run(teleop, 20, 500, push())
    assert not any(tick.active for tick in ticks)
    assert "stop buttons" in ticks[-1].problem
    confirm(teleop, HOME, 500)
    teleop.graph.set_listening(False)
    assert run(teleop, 520, 600, push())[-1].active


def test_a_pose_of_no_use_is_the_reason_not_to_start():
    teleop = TeleopCore(ONE, STICK)
    teleop.on_bad_pose(0, 100 * MS, "comes in frame 'world', expected 'base_link'")
    problem = run(teleop, 120, 160, push())[-1].problem
    assert "no fresh pose of arm 0: it comes in frame 'world', expected 'base_link'" in problem


def test_a_stop_ends_driving_until_the_dead_man_is_let_go():
    teleop = core()
    assert run(teleop, 0, 500, push())[-1].active
    teleop.stop()
    ticks = run(teleop, 500, 1500, push())
    assert not ticks[-1].active
    assert "Stopped by an operator" in ticks[-1].problem
    stood = next(t.arms[0].goal for t in reversed(ticks) if t.arms[0].goal is not None)
    run(teleop, 1500, 1600, LET_GO)
    confirm(teleop, stood, 1600)
    assert run(teleop, 1600, 1900, push())[-1].active


def test_a_stop_while_nobody_drives_bars_nobody():
    teleop = core()
    run(teleop, 0, 100)
    teleop.stop()
    assert run(teleop, 100, 400, push())[-1].active


def console_message(**fields):
    values = {"dead_man": True, "arm": 0, "axis": 0, "axis_rate": 0.0, "gripper": math.nan}
    values |= {"linear": [0.5, 0, 0], "angular": [0, 0, 0], "base": [0, 0, 0]}
    return SimpleNamespace(**{**values, **fields})


def test_a_console_moves_what_it_names_and_nothing_that_is_not_there():
    assert console_command(console_message(), 1, 0).opening is None
    assert console_command(console_message(gripper=7.0), 1, 0).opening == 1.0
    assert not console_command(console_message(dead_man=False, arm=9), 1, 0).dead_man
    for fields, said in (({"arm": 1}, "arm 1 of a robot with 1"), ({"axis": 2}, "joint 2")):
        with pytest.raises(EvlaError, match=said):
            console_command(console_message(**fields), 1, 1)
    ticks = run(core(), 0, 300, console_command(console_message(linear=[math.nan] * 3), 1, 0))
    assert distance(ticks[-1].arms[0].goal, HOME)[0] < 1e-9, "what is not finite is released"
