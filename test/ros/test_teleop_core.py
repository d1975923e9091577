# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Teleoperation without a graph: authority, bumpless hand-over, dead-man, devices."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import Pose, distance
from evla_ros.ros.teleop_command import TeleopCommand
from evla_ros.ros.teleop_core import TeleopCore, TeleopSettings
from evla_ros.ros.teleop_devices import Clutched, JoyMap, Joystick
from evla_ros.ros.teleop_keyboard import Keyboard

MS = 1_000_000
ONE = load_embodiment("tabletop_arm")
TWO = load_embodiment("humanoid_upper_body")
HOME = Pose.from_xyz_rpy([0.45, 0.0, 0.3], [np.pi, 0.0, 0.3])


def push(axis=0, value=1.0, **fields):
    linear = np.zeros(3)
    linear[axis] = value
    return TeleopCommand(True, linear=linear, **fields)


LET_GO = TeleopCommand(dead_man=False)


def core(body=ONE, pose=HOME):
    made = TeleopCore(body, TeleopSettings())
    for arm in range(len(body.arms)):
        made.on_pose(arm, 0, pose)
    return made


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
    assert len(held) == 15  # 0.3 s
    assert all(distance(t.arms[0].goal, measured)[0] < 1e-12 for t in held)
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
    teleop.on_pose(0, 1500 * MS, elsewhere)
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
    teleop = TeleopCore(ONE, TeleopSettings(speed_m_s=2.0, scale=0.5))
    teleop.on_pose(0, 0, HOME)
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
