# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A base and axes under control: followed, limited, doubted, stopped."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import yaml
from control_rig import TICK_NS, Rig

from evla_ros.control.base_channel import BaseChannel
from evla_ros.control.limited_velocity import LimitedVelocity
from evla_ros.control.limits.moving_parts import AxisLimitValues, BaseLimitValues, RobotLimits
from evla_ros.control.reasons import Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.tick_clock import Elapsed
from evla_ros.control.velocity_plan import VelocityPlan
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose

ROBOT = load_embodiment("mobile_manipulator")
LIMITS = BaseLimitValues.of(ROBOT.base)
DRIVE = (0.3, 0.1, -0.4)


def rig_of(**settings: object) -> Rig:
    return Rig("mobile_manipulator", ControlSettings(**settings))


def driving(**settings: object) -> Rig:
    rig = rig_of(**settings)
    rig.start()
    rig.run(lambda: rig.chunk(base=DRIVE), 60)
    assert rig.ticks[-1].moving, rig.ticks[-1].finding
    return rig


def test_nothing_is_told_before_start() -> None:
    rig = rig_of()
    rig.run(lambda: rig.chunk(base=DRIVE), 10)
    assert all(tick.told.silent for tick in rig.ticks)


def test_a_started_base_follows_the_velocity_and_the_axis_its_position() -> None:
    rig = driving()
    np.testing.assert_allclose(rig.ticks[-1].told.base, DRIVE, atol=1e-9)
    goal = rig.positions[0] + 0.05
    rig.run(lambda: rig.chunk(axes=(goal,)), 100)
    assert rig.ticks[-1].told.axes == (pytest.approx(goal, abs=1e-3),)
    np.testing.assert_allclose(rig.ticks[-1].told.base, 0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ((0.004, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ((0.003, -0.003, -0.008), (0.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.05), (0.0, 0.0, 0.05)),
        ((0.004, 0.004, 0.0), (0.004, 0.004, 0.0)),  # 5.7 mm/s over ground
        ((0.05, 0.001, 0.009), (0.05, 0.001, 0.0)),
    ],
)
def test_a_policy_that_means_to_stand_still_does_not_creep(asked, told) -> None:
    rig = rig_of()
    rig.start()
    rig.run(lambda: rig.chunk(base=asked), 100)
    assert rig.ticks[-1].moving
    np.testing.assert_allclose(rig.ticks[-1].told.base, told, atol=1e-9)


def test_a_base_that_drives_brakes_to_a_stand_within_the_dead_band() -> None:
    rig = driving()
    rig.run(lambda: rig.chunk(base=(0.002, 0.0, 0.0)), 150)
    assert rig.ticks[-1].told.base == (0.0, 0.0, 0.0)
    told = np.array([tick.told.base for tick in rig.ticks if tick.told.base is not None])
    change = np.hypot(*np.diff(told, axis=0)[:, :2].T)
    assert change.max() <= LIMITS.max_acceleration_m_s2 * 0.02 + 1e-9


def test_the_dead_band_is_a_field_of_the_file_that_old_files_do_without() -> None:
    tree = yaml.safe_load(ROBOT.text)
    tree["base"]["dead_band_m_s"] = 0.005
    assert parse_embodiment(yaml.safe_dump(tree), source="a").content_hash == ROBOT.content_hash
    tree["base"]["dead_band_m_s"] = 0.0
    other = parse_embodiment(yaml.safe_dump(tree), source="b")
    assert other.content_hash != ROBOT.content_hash
    channel = BaseChannel(other.base, LIMITS, ControlSettings())
    slow = channel.follow(np.array([0.001, 0.0, 0.0]), Elapsed(0.02, 0.02))
    assert slow[0] == 0.001
    tree["base"]["dead_band_rad_s"] = 0.15
    tree["base"]["limits"]["max_rotation_rad_s"] = 0.1
    with pytest.raises(EvlaError, match=r"dead_band_rad_s 0\.15 is not below .* 0\.1"):
        parse_embodiment(yaml.safe_dump(tree), source="c")


def test_velocity_changes_no_faster_than_the_limit() -> None:
    rig = driving()
    base = np.array([tick.told.base for tick in rig.ticks if tick.told.base is not None])
    change = np.abs(np.diff(base, axis=0))
    assert np.hypot(*change[:, :2].T).max() <= LIMITS.max_acceleration_m_s2 * 0.02 + 1e-9
    assert change[:, 2].max() <= LIMITS.max_angular_acceleration_rad_s2 * 0.02 + 1e-9


def test_too_fast_and_too_far_is_clipped_and_said() -> None:
    rig = rig_of()
    rig.start()
    rig.run(lambda: rig.chunk(base=(5.0, 0.0, 9.0), axes=(3.0,)), 200)
    told = rig.ticks[-1].told
    assert told.base == pytest.approx((0.7, 0.0, 1.2))
    assert 0.39 < told.axes[0] <= 0.4
    base, lift = rig.controller.parts.base, rig.controller.parts.axes[0]
    assert base.clips[Reason.LIMIT_SPEED] > 0
    assert base.clips[Reason.LIMIT_ROTATION_SPEED] > 0
    assert lift.clips[Reason.LIMIT_WORKSPACE] > 0
    assert rig.ticks[-1].finding.reason is Reason.MOVING_LIMITED


@pytest.mark.parametrize(
    "stop",
    [
        lambda rig: rig.controller.stop(rig.now_ns),
        lambda rig: rig.controller.inputs.set_estop(True, rig.now_ns),
        lambda rig: rig.controller.inputs.graph.set_listeners("cmd_vel", 0),
    ],
)
def test_a_stop_brakes_the_base_to_zero_and_holds_the_axis_where_it_is(stop) -> None:
    rig = driving(resume_within_s=0.0)
    rig.run(lambda: rig.chunk(axes=(0.4,)), 15)
    stop(rig)
    held = rig.run(None, 40)
    speeds = [math.hypot(*tick.told.base[:2]) for tick in held]
    assert all(b <= a + 1e-12 for a, b in itertools.pairwise(speeds))
    assert held[-1].told.base == (0.0, 0.0, 0.0)
    assert held[-1].told.axes[0] == pytest.approx(rig.positions[0], abs=1e-3)
    rig.run(None, 40)
    assert rig.ticks[-1].told.silent
    assert rig.controller.at_rest


def test_a_person_takes_over_in_silence() -> None:
    rig = driving()
    rig.controller.inputs.set_teleop(True)
    assert rig.step().told.silent


def test_a_used_up_chunk_stops_the_base_before_it_is_given_up() -> None:
    rig = driving(settle_s=2.0, replan_time_left_s=0.1)
    rig.run(None, 80)
    assert rig.ticks[-1].moving
    np.testing.assert_allclose(rig.ticks[-1].told.base, 0.0, atol=1e-9)


def test_silent_odometry_stops_all() -> None:
    rig = driving()
    rig.odometry_on = False
    ticks = rig.run(lambda: rig.chunk(base=DRIVE), 40)
    assert ticks[-1].finding.reason is Reason.ODOMETRY_STALE
    assert ticks[-1].told.base == (0.0, 0.0, 0.0)


def test_a_silent_axis_stops_all() -> None:
    rig = driving()
    rig.axes_on = False
    ticks = rig.run(lambda: rig.chunk(base=DRIVE), 60)
    assert ticks[-1].finding.reason is Reason.AXIS_STALE
    assert "axis lift" in ticks[-1].finding.text


def test_odometry_that_jumps_is_doubted_and_needs_a_start() -> None:
    rig = driving()
    rig.place = Pose.from_xyz_rpy([5.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    tick = rig.step(lambda: rig.chunk(base=DRIVE))
    assert tick.finding.reason is Reason.INPUT_INVALID
    assert "odometry base" in tick.finding.text
    rig.run(lambda: rig.chunk(base=DRIVE), 50)
    assert not rig.controller.started


def test_a_velocity_that_the_base_cannot_have_is_refused() -> None:
    rig = driving()
    rig.velocity = np.array([0.0, 9.0, 0.0])
    believed = rig.controller.note_odometry(rig.now_ns + 1, rig.place, rig.velocity, rig.now_ns)
    assert not believed
    tick = rig.controller.tick(rig.now_ns + TICK_NS, rig.monotonic_ns + TICK_NS)
    assert "vy 9 m/s, far above base.limits" in tick.finding.text


def test_an_axis_that_jumps_is_doubted_in_its_own_words() -> None:
    rig = driving()
    rig.positions[0] -= 0.19
    tick = rig.step(lambda: rig.chunk(base=DRIVE))
    assert tick.finding.reason is Reason.INPUT_INVALID
    assert tick.finding.detail == "axis lift: 0.190 m in 0.020 s, from 0.2 to 0.01"


def test_an_axis_outside_its_range_is_not_started() -> None:
    rig = rig_of()
    rig.positions[0] = 0.5
    for _ in range(40):
        rig.step()
    refusal = rig.controller.start(rig.now_ns)
    assert refusal is not None
    assert refusal.reason is Reason.AXIS_OUTSIDE
    assert refusal.detail == "lift"


def test_a_chunk_of_another_size_is_refused() -> None:
    rig = driving()
    for wrong in (7, 10, 12):
        rig.run(lambda size=wrong: np.zeros((8, size)), 40)
        assert rig.controller.policy.failure.reason is Reason.ACTION_INVALID
        assert "instead of [8, 11]" in rig.controller.policy.failure.text


def test_between_two_actions_a_velocity_is_on_the_line_and_after_the_last_it_is_zero() -> None:
    plan = VelocityPlan(0, 100, np.array([[0.0, 0, 0], [0.2, 0, 0], [0.4, 0, 0]]))
    assert [plan.at(t)[0] for t in (-50, 0, 50, 150, 199)] == pytest.approx(
        [0.0, 0.0, 0.1, 0.3, 0.398]
    )
    assert not plan.at(200).any()


def test_a_base_that_cannot_go_sideways_does_not() -> None:
    values = BaseLimitValues(0.5, 0.0, 1.0, 1.0, 2.0)
    limited = LimitedVelocity(values)
    velocity = limited.step(np.array([0.0, 0.4, 0.0]), Elapsed(0.02, 0.02))
    assert not velocity.any()
    assert limited.clips == (Reason.LIMIT_SPEED,)


def test_limits_are_tightened_and_never_loosened() -> None:
    limits = RobotLimits.of(ROBOT)
    assert limits.base.tightened({"max_speed_m_s": 0.2}).max_speed_m_s == 0.2
    axis = AxisLimitValues.of(ROBOT.axes[0]).tightened({"min": 0.1, "max_speed": 0.05})
    assert (axis.min, axis.max, axis.max_speed) == (0.1, 0.4, 0.05)
    for wrong in ({"max_speed_m_s": 0.8}, {"max_speed_m_s": -1.0}, {"speed": 1.0}):
        with pytest.raises(EvlaError):
            limits.base.tightened(wrong)
    for wrong in ({"min": -0.1}, {"max": 0.5}, {"min": 0.4}, {"max_speed": 0.0}, {"low": 0.1}):
        with pytest.raises(EvlaError):
            AxisLimitValues.of(ROBOT.axes[0]).tightened(wrong)
    rig = driving()
    base = limits.base.tightened({"max_speed_m_s": 0.1, "max_lateral_m_s": 0.1})
    rig.controller.parts.set_limits(limits._replace(base=base))
    ticks = rig.run(lambda: rig.chunk(base=DRIVE), 40)
    assert math.hypot(*ticks[-1].told.base[:2]) <= 0.1 + 1e-9
