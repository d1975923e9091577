# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag whose goals are whole ways: its commanded actions are those of goals one at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_bag import SyntheticRobot, arm_pose, write_robot_bag

from evla_ros.data.codecs.goal import way_to_cdr
from evla_ros.data.convert.bag_job import read_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import POSE_STAMPED, POSE_TRAJECTORY
from evla_ros.errors import EvlaError
from evla_ros.geometry import TimedPose

MS = 1_000_000
BODY = load_embodiment("tabletop_arm")
WAYS = BODY.text.replace("executor: plain", "executor: cartesian_trajectory")


def as_ways(robot, every_ms=400, points=8, seconds=99.0):
    """Return what makes a way of 0.1 s steps of every so many goals, and drops the others."""

    def change(event):
        if event.topic.lstrip("/") != BODY.arms[0].goal.topic:
            return event
        passed_ns = event.stamp_ns - robot.start_ns
        if passed_ns % (every_ms * MS) or passed_ns > seconds * 1e9:
            return None
        way = [
            TimedPose(k * 100 * MS, arm_pose(0, 0, passed_ns / 1e9 + 0.1 * k))
            for k in range(1, points + 1)
        ]
        return event._replace(type=POSE_TRAJECTORY, data=way_to_cdr(0, "", way))

    return change


@pytest.fixture(scope="module")
def robot():
    return SyntheticRobot(BODY, seconds=2.2, camera_hz=15.0, latency_s=0.0)


@pytest.fixture(scope="module")
def told_ways(robot):
    return replace(robot, embodiment=parse_embodiment(WAYS, source="ways"))


def episode(path, text):
    (found,) = read_bag(path, ConvertOptions(text, image_size=(32, 32), idle="keep")).episodes
    return found


def test_actions_are_those_of_single_goals(robot, told_ways, tmp_path):
    single = episode(write_robot_bag(tmp_path / "single", robot), BODY.text)
    ways = episode(write_robot_bag(tmp_path / "ways", told_ways, as_ways(robot)), WAYS)
    n = min(len(single), len(ways))
    assert n > 15
    # Goals come every 20 ms and ways run on between them; the paths are the same to a millimetre.
    np.testing.assert_allclose(ways.action[1:n, :6], single.action[1:n, :6], atol=8e-3)
    moved = [e.action[1 : n - 1, :3].sum(axis=0) for e in (ways, single)]
    np.testing.assert_allclose(moved[0], moved[1], atol=8e-3)


def test_a_way_that_is_over_commands_nothing(robot, told_ways, tmp_path):
    """The last way ends at 1.1 s; from then on it is as with goals that end there."""

    def until_then(event):
        goal = event.topic.lstrip("/") == BODY.arms[0].goal.topic
        return None if goal and event.stamp_ns - robot.start_ns > 1100 * MS else event

    single = episode(write_robot_bag(tmp_path / "single", robot, until_then), BODY.text)
    change = as_ways(told_ways, points=3, seconds=0.9)
    ways = episode(write_robot_bag(tmp_path / "ways", told_ways, change), WAYS)
    np.testing.assert_allclose(ways.action[14:, :6], single.action[14:, :6], atol=1e-6)


def test_another_type_on_the_topic_is_named(told_ways, tmp_path):
    def untyped(event):
        goal = event.topic.lstrip("/") == BODY.arms[0].goal.topic
        return event._replace(type=POSE_STAMPED) if goal else event

    bag = write_robot_bag(tmp_path / "other", told_ways, untyped)
    with pytest.raises(EvlaError, match="MultiDOFJointTrajectory"):
        read_bag(bag, ConvertOptions(WAYS, image_size=(32, 32), idle="keep"))
