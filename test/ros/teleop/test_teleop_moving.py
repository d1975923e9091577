# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which stick drives the base and the lift, and that letting go ends at rest; arms told ways."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.data.alignment.observation import BaseState
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.geometry import Pose, distance
from evla_ros.ros.teleop.core import TeleopCore, TeleopSettings
from evla_ros.ros.teleop.devices import JoyMap, Joystick
from evla_ros.ros.teleop.keyboard import Keyboard

MS = 1_000_000
BODY = load_embodiment("mobile_manipulator")
HOME = Pose.from_xyz_rpy([0.45, 0.0, 0.3], [np.pi, 0.0, 0.3])
LIFT_M = 0.15


class Robot:
    """A core and what it moves; everything follows at once unless told to lag."""

    def __init__(self, body=BODY) -> None:
        self.core = TeleopCore(body, TeleopSettings())
        self.joy = Joystick(1, JoyMap(), 1)
        self.pose, self.velocity, self.lift, self.lag = HOME, np.zeros(3), LIFT_M, 1.0
        self.measured: list[float] = []
        self.lags, self.ms = body.axes, 0
        for _ in range(40):
            self.sense()
            self.ms += 20

    def sense(self) -> None:
        now_ns = self.ms * MS
        self.measured.append(self.lift)
        self.core.on_pose(0, now_ns, self.pose)
        self.core.on_odometry(now_ns, BaseState(Pose.identity(), self.velocity))
        if self.lags:
            self.core.on_axis(0, now_ns, self.lift)

    def run(self, ticks, axes=None, buttons=()):
        """Tick at 50 Hz while a joystick says this; None: it is silent. Returns the ticks."""
        found = []
        for _ in range(ticks):
            self.ms += 20
            self.sense()
            if axes is not None:
                pressed = [int(i in buttons) for i in range(8)]
                command = self.joy.command(axes, pressed)
                self.core.on_command("joy", command, self.ms * MS)
            tick = self.core.tick(self.ms * MS)
            if tick.told.base is not None:
                self.velocity = np.array(tick.told.base)
            if tick.told.axes and tick.told.axes[0] is not None:
                self.lift += self.lag * (tick.told.axes[0] - self.lift)
            found.append(tick)
        return found


def sticks(**values):
    axes = [0.0] * 8
    for name, value in values.items():
        axes[int(name[1:])] = value
    return axes


@pytest.mark.parametrize(
    ("stick", "moves"), [({"a7": 1.0}, (0.3, 0.0, 0.0)), ({"a6": -1.0}, (0.0, 0.0, -0.6))]
)
def test_the_cross_of_the_pad_drives_and_turns_the_base(stick, moves):
    robot = Robot()
    told = robot.run(60, sticks(**stick), {4})[-1].told
    np.testing.assert_allclose(told.base, moves, atol=1e-9)
    assert told.axes == (pytest.approx(LIFT_M),)
    assert distance(told.arms[0].goal, HOME)[0] < 1e-9


@pytest.mark.parametrize(("button", "way"), [(3, 1.0), (2, -1.0)])
def test_two_buttons_move_the_lift_and_nothing_else(button, way):
    robot = Robot()
    told = robot.run(20, sticks(), {4, button})[-1].told
    moved = told.axes[0] - LIFT_M
    assert moved * way > 0.005
    limits = BODY.axes[0].limits
    assert abs(moved) <= 0.5 * limits.max_speed * 0.4 + 1e-9
    assert told.base == (0.0, 0.0, 0.0)


def test_the_lift_stays_within_its_range():
    robot = Robot()
    told = robot.run(600, sticks(), {4, 3})
    assert max(tick.told.axes[0] for tick in told) <= BODY.axes[0].limits.max + 1e-9


@pytest.mark.parametrize("held", [set(), {3}, {0, 1, 2, 3, 5}])
def test_without_the_dead_man_nothing_moves(held):
    robot = Robot()
    told = robot.run(30, sticks(a7=1.0, a6=1.0, a1=1.0), held)
    assert all(tick.told.silent for tick in told)


@pytest.mark.parametrize("how", ["released", "silent"])
def test_letting_go_brakes_the_base_and_holds_the_measured_position(how):
    robot = Robot()
    robot.lag = 0.2
    robot.run(60, sticks(a7=1.0, a6=1.0), {4, 3})
    assert robot.velocity[0] > 0.25
    lift = robot.lift
    told = robot.run(150, sticks(a7=1.0) if how == "released" else None, {3})
    velocities = np.array([tick.told.base for tick in told if tick.told.base is not None])
    assert np.all(velocities[-1] == 0.0)
    change = np.abs(np.diff(velocities, axis=0))
    assert change[:, 0].max() <= BODY.base.limits.max_acceleration_m_s2 * 0.02 + 1e-9
    positions = [tick.told.axes[0] for tick in told if tick.told.axes[0] is not None]
    # Where it was measured when it was let go, 0.3 s later for a device that fell silent; the goal
    # was further ahead.
    assert min(abs(position - positions[-1]) for position in robot.measured) < 1e-4
    assert lift - 1e-4 < positions[-1] < max(positions) - 2e-3
    assert told[-1].told.silent
    assert not told[-1].active


def test_the_stop_button_ends_driving_too():
    robot = Robot()
    robot.run(60, sticks(a7=1.0), {4, 3})
    robot.core.button.set(True, robot.ms * MS)
    told = robot.run(150, sticks(a7=1.0), {4, 3})
    assert not robot.velocity.any()
    assert told[-1].told.silent
    assert "dead-man" in told[-1].problem


def test_keys_drive_the_base_and_the_lift():
    keyboard = Keyboard(1, 1)
    keyboard.press("+", 0.0)
    command = keyboard.command(0.01)
    assert command.dead_man
    assert command.axis_rate > 0
    assert not command.base.any()


def test_an_arm_that_takes_ways_is_told_the_goal_as_a_way_no_faster_than_its_limit():
    tree = yaml.safe_load(load_embodiment("tabletop_arm").text)
    tree["arms"][0]["goal"]["executor"] = "cartesian_trajectory"
    body = parse_embodiment(yaml.safe_dump(tree), source="ways")
    robot = Robot(body)
    told = robot.run(50, sticks(a1=1.0), {4})  # the arm stays where it is: the goal runs ahead
    told += robot.run(60, sticks())
    goals = [tick.arms[0] for tick in told if tick.arms[0].goal is not None]
    assert len(goals) > 60
    for arm in goals:
        ((after_ns, pose),) = arm.way
        assert pose is arm.goal
        assert after_ns >= 2e9 / body.goal_rate_hz
        speed = distance(HOME, pose)[0] / (after_ns / 1e9)
        assert speed <= body.arms[0].limits.max_speed_m_s * (1 + 1e-6)
    assert distance(goals[-1].goal, HOME)[0] < 1e-3
