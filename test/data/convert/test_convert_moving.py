# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of a robot that drives: columns, units, what is refused, and what loaders are told."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from synthetic_bag import (
    SECOND,
    Event,
    SyntheticRobot,
    axis_position,
    base_pose,
    base_velocity,
    write_robot_bag,
)

from evla_ros.data.bags import encode
from evla_ros.data.convert.bag_job import convert_bag, read_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.run import convert
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import action_layout, load_embodiment, parse_embodiment, proprio_layout

BODY = load_embodiment("mobile_manipulator")
LIMITS = {"min": -1.0, "max": 1.0, "max_speed": 1.0, "max_acceleration": 4.0}


def robot(**changes):
    return SyntheticRobot(BODY, **{"seconds": 4.0, "camera_hz": 10.0, **changes})


def options(**changes):
    return ConvertOptions(BODY.text, image_size=(32, 32), idle="keep", **changes)


def without(*topics):
    return lambda event: None if event.topic in topics else event


def read(folder, change=lambda event: event, body=None, **changes):
    bag = write_robot_bag(folder / "bag", body or robot(), change)
    return read_bag(bag, options(**changes)).episodes[0]


def times_s(episode):
    stamps = episode.columns["stamp_ns"]
    return (stamps - robot().start_ns) / SECOND


def test_commanded_actions_are_what_was_told_by_the_end_of_the_step(tmp_path):
    episode = read(tmp_path)
    names = action_layout(BODY).names
    ends = times_s(episode) + 0.1
    for step, end_s in enumerate(ends[:-2]):
        told = base_velocity(end_s)
        np.testing.assert_allclose(episode.action[step, 7:10], told, atol=0.01)
        goal = axis_position(BODY.axes[0], end_s)
        assert episode.action[step, names.index("lift")] == pytest.approx(goal, abs=0.005)


def test_achieved_actions_and_proprio_are_what_was_measured(tmp_path):
    episode = read(tmp_path, source="achieved")
    layout, lag_s = proprio_layout(BODY), robot().lag_s
    state = episode.observations["state"]
    for step, time_s in enumerate(times_s(episode)[:-2]):
        done = base_velocity(time_s + 0.1 - lag_s)
        np.testing.assert_allclose(episode.action[step, 7:10], done, atol=0.01)
        row = dict(zip(layout.names, state[step], strict=True))
        here = base_velocity(time_s - lag_s)
        np.testing.assert_allclose(
            [row["base_vx"], row["base_vy"], row["base_wz"]], here, atol=0.01
        )
        x, y, _ = base_pose(time_s - lag_s).position_m
        assert (row["base_x"], row["base_y"]) == (
            pytest.approx(x, abs=0.01),
            pytest.approx(y, abs=0.01),
        )
        assert row["lift"] == pytest.approx(axis_position(BODY.axes[0], time_s - lag_s), abs=0.003)


def test_the_last_action_stands_still_and_keeps_the_axes(tmp_path):
    episode = read(tmp_path, last_action="neutral")
    assert not episode.action[-1, :6].any()
    assert not episode.action[-1, 7:10].any()
    assert episode.action[-1, 10] == episode.action[-2, 10]


def test_silence_of_the_command_is_standing_still(tmp_path):
    """A base stops when nothing tells it to go on; a lift stays."""

    def silent_at_the_end(event):
        told = event.topic in ("/cmd_vel", "/lift_controller/joint_trajectory")
        return None if told and event.stamp_ns > robot().start_ns + 2 * SECOND else event

    episode = read(tmp_path, silent_at_the_end)
    late = times_s(episode) > 2.6
    assert late.sum() > 5
    assert not episode.action[late, 7:10].any()
    assert np.ptp(episode.action[late, 10]) == 0.0


def test_commanded_without_a_command_topic_is_refused_and_achieved_is_not(tmp_path):
    bag = write_robot_bag(tmp_path / "bag", robot(), without("/cmd_vel"))
    result = convert_bag(bag, options(), tmp_path / "staging")
    assert result.status == "dropped"
    assert "cmd_vel" in result.reason
    assert read(tmp_path / "other", without("/cmd_vel"), source="achieved").action.shape[1] == 11


@pytest.mark.parametrize("topic", ["/odom", "/joint_states"])
def test_a_robot_without_its_measurements_is_refused(tmp_path, topic):
    bag = write_robot_bag(tmp_path / "bag", robot(), without(topic))
    result = convert_bag(bag, options(), tmp_path / "staging")
    assert result.status == "dropped"
    assert topic.lstrip("/") in result.reason


def replaced(topic, data):
    return lambda event: event._replace(data=data(event)) if event.topic == topic else event


@pytest.mark.parametrize(
    ("topic", "data", "words"),
    [
        ("/cmd_vel", lambda e: encode.encode_twist([np.nan, 0, 0]), "no velocity command"),
        (
            "/odom",
            lambda e: encode.encode_odometry(
                e.stamp_ns, ("odom", "base_footprint"), base_pose(0.0), [0, 0, 0]
            ),
            "is in frame 'base_footprint', base.frame is 'base_link'",
        ),
        (
            "/joint_states",
            lambda e: encode.encode_joint_state(e.stamp_ns, ["wheel"], [0.0]),
            "no usable message of axis:lift",
        ),
    ],
)
def test_what_is_wrong_with_a_message_is_said(tmp_path, topic, data, words):
    bag = write_robot_bag(tmp_path / "bag", robot(), replaced(topic, data))
    result = convert_bag(bag, options(), tmp_path / "staging")
    assert result.status == "dropped"
    assert words in result.reason


def test_a_base_that_drives_while_the_arm_rests_is_no_idle_episode(tmp_path):
    """Neither the gate of motion nor the trimming of idle steps looks at the arm alone."""
    first: dict[str, bytes] = {}

    def arm_rests(event: Event) -> Event:
        if event.topic not in ("/arm/target_pose", "/arm/current_pose"):
            return event
        pose = first.setdefault("pose", event.data)
        stamped = pose[:4] + event.data[4:12] + pose[12:]
        return event._replace(data=stamped)

    bag = write_robot_bag(tmp_path / "bag", robot(), arm_rests)
    read_ = read_bag(bag, ConvertOptions(BODY.text, image_size=(32, 32), idle="all"))
    episode = read_.episodes[0]
    assert len(episode) > 25


def test_the_dataset_names_every_number_and_tells_loaders_about_it(tmp_path):
    for seed in range(3):
        write_robot_bag(tmp_path / "bags" / f"bag{seed}", robot(seed=seed))
    folder = convert([tmp_path / "bags"], tmp_path / "out", options()).dataset
    dataset = RldsDataset.open(folder)
    action = dataset.features.steps["action"].description
    assert action.endswith("base_vx [m/s], base_vy [m/s], base_wz [rad/s], lift [m]")
    statistics = json.loads((dataset.path / "dataset_statistics.json").read_text())
    assert statistics[dataset.name]["action"]["mask"] == [True] * 6 + [False] + [True] * 4
    text = (dataset.path / "oxe_registration.py.txt").read_text()
    assert "11 action numbers" in text
    assert "base_wz [rad/s], lift [m]" in text
    absolute = [False] * 6 + [True] + [False] * 3 + [True]
    assert f'"absolute_action_mask": {absolute}' in text
    assert "# ACTION_DIM = 11" in text
    ages = dataset.features.steps["age_s"].description
    assert ages.endswith("odometry, axis:lift")


def test_axes_that_share_a_topic_are_told_apart(tmp_path):
    tree = yaml.safe_load(BODY.text)
    for name in ("pan", "tilt"):
        tree["axes"].append(
            {
                "name": f"head_{name}", "unit": "rad", "joint": f"head_{name}",
                "command": "head/command", "command_type": "float64_array",
                "limits": dict(LIMITS, max=1.0 if name == "pan" else 0.2),
            }
        )  # fmt: skip
    body = parse_embodiment(yaml.safe_dump(tree), source="head")
    bag = write_robot_bag(tmp_path / "bag", SyntheticRobot(body, camera_hz=10.0))
    episode = read_bag(bag, ConvertOptions(body.text, image_size=(32, 32), idle="keep")).episodes[0]
    ends = times_s(episode) + 0.1
    for step, end_s in enumerate(ends[:-2]):
        goals = [axis_position(axis, end_s) for axis in body.axes]
        np.testing.assert_allclose(episode.action[step, 10:], goals, atol=0.02)
