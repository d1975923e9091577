# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages as drivers send them: several publishers, bad samples, topics published on change."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from restamped import SECOND, write_restamped
from synthetic_bag import (
    Event,
    SyntheticRobot,
    arm_pose,
    gripper_opening,
    tf_event,
    write_robot_bag,
)

from evla_ros.cli.main import main
from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.writer import McapBagWriter
from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import JOINT_STATE
from evla_ros.geometry.pose import Pose, compose, inverse

POSE, GOAL = "/arm/current_pose", "/arm/target_pose"
WRIST = "/camera/wrist/image_raw"
STATE = "/arm/gripper/state"


def variant(**changes):
    """Return the tabletop arm with changes to its arm (gripper keys by `gripper_...`) or itself."""
    tree = yaml.safe_load(load_embodiment("tabletop_arm").text)
    for key, value in changes.items():
        if key.startswith("gripper_"):
            tree["arms"][0]["gripper"][key.removeprefix("gripper_")] = value
        elif key in tree["arms"][0]:
            tree["arms"][0][key] = value
        else:
            tree[key] = value
    return parse_embodiment(yaml.safe_dump(tree), source="test")


def robot_of(body):
    return SyntheticRobot(body, seconds=4.0, camera_hz=10.0)


def options_of(body, **changes):
    return ConvertOptions(body.text, image_size=(32, 32), idle="keep", **changes)


def joints(stamp, names, values):
    data = encode.encode_joint_state(stamp, names, values)
    return Event(stamp, "/joint_states", JOINT_STATE, data)


@pytest.mark.parametrize("order", ["arm first", "gripper first"])
def test_joint_states_of_several_publishers(tmp_path, convert_one, order):
    gripper = {"state": "joint_states", "state_type": "joint_state", "state_joint": "finger"}
    body = variant(
        **{f"gripper_{key}": value for key, value in gripper.items()},
        joints=["j1", "j2"],
        proprio=["joint_positions", "gripper"],
    )
    robot = robot_of(body)

    def extra():
        for index in range(200):
            stamp, time_s = robot.start_ns + index * SECOND // 50, index / 50
            yield joints(stamp, ["j1", "j2"], [time_s, -time_s])
            yield joints(stamp + 3_000_000, ["wheel_left"], [0.0])

    def later(event):
        arm_first = order == "arm first"
        moved = event.topic == "/joint_states" and arm_first
        return event._replace(stamp_ns=event.stamp_ns + 5_000_000) if moved else event

    bag = write_robot_bag(tmp_path / "bag", robot, later, extra())
    episode, result = convert_one(bag, options_of(body), tmp_path)
    assert (len(episode), result.notes) == (39, ())
    state = episode.observations["state"]
    np.testing.assert_allclose(state[:, 0], -state[:, 1])
    assert np.diff(state[:, 0]).min() > 0.05
    assert set(np.round(state[:, 2], 3)) == {0.0, 1.0}


def test_a_publisher_of_joints_that_dies_is_stale_though_others_go_on(tmp_path):
    body = variant(joints=["j1", "j2"], proprio=["joint_positions", "gripper"])
    robot = robot_of(body)

    def extra():
        for index in range(200):
            stamp = robot.start_ns + index * SECOND // 50
            if index < 100:
                yield joints(stamp, ["j1"], [0.1])
            yield joints(stamp, ["j2"], [0.2])

    result = convert_bag(
        write_robot_bag(tmp_path / "bag", robot, extra=extra()), options_of(body), tmp_path / "s"
    )
    assert result.status == "kept"
    assert "stale: joints in" in result.loss


def test_an_empty_frame_is_the_base_frame(tmp_path, convert_one):
    body = variant()
    robot = robot_of(body)

    def without_frame(event):
        if event.topic not in (POSE, GOAL):
            return event
        lag = robot.lag_s if event.topic == POSE else 0.0
        there = arm_pose(0, 0, (event.stamp_ns - robot.start_ns) / SECOND - lag)
        return event._replace(data=encode.encode_pose(event.stamp_ns, "", there))

    bag = write_robot_bag(tmp_path / "bag", robot, without_frame)
    episode, result = convert_one(bag, options_of(body), tmp_path)
    assert (len(episode), result.notes) == (39, ())


def spoiled(topic, which, data_of):
    """Return a change that spoils the chosen messages of a topic."""
    seen = {}

    def change(event):
        seen[event.topic] = seen.get(event.topic, -1) + 1
        if event.topic != topic or not which(seen[event.topic]):
            return event
        return event._replace(data=data_of(event))

    return change


def nan_at_the_end(event):
    return event.data[:-8] + np.float64(np.nan).tobytes()


def in_the_map(event):
    return encode.encode_pose(event.stamp_ns, "map", arm_pose(0, 0, 0.0))


@pytest.mark.parametrize(
    ("topic", "data_of", "said"),
    [
        (POSE, nan_at_the_end, "pose:arm: 3 message(s) dropped (quaternion"),
        (POSE, in_the_map, "pose:arm: 3 message(s) dropped (comes in frame 'map'"),
        (GOAL, nan_at_the_end, "goal:arm: 3 message(s) dropped"),
        (STATE, nan_at_the_end, "gripper:arm: 3 message(s) dropped (the gripper's value nan"),
        (STATE, lambda e: e.data[:6], "gripper:arm: 3 message(s) dropped (message ends"),
        ("/arm/gripper/command", nan_at_the_end, "gripper_command:arm: 3 message(s) dropped"),
    ],
)
@pytest.mark.parametrize("where", ["first", "middle"])
def test_a_few_bad_samples_are_dropped_and_counted(
    tmp_path, convert_one, topic, data_of, said, where
):
    body = variant()
    which = (lambda n: n < 3) if where == "first" else (lambda n: n in (60, 61, 62))
    bag = write_robot_bag(tmp_path / "bag", robot_of(body), spoiled(topic, which, data_of))
    episode, result = convert_one(bag, options_of(body), tmp_path)
    assert len(episode) >= 38
    (note,) = result.notes
    assert note.startswith(said)
    assert np.isfinite(episode.action).all()


@pytest.mark.parametrize("which", [range(1), range(10, 12)])
def test_a_damaged_picture_costs_no_tick(tmp_path, convert_one, which):
    body = variant()
    change = spoiled(WRIST, lambda n: n in which, lambda event: event.data[:2000])
    bag = write_robot_bag(tmp_path / "bag", robot_of(body), change)
    episode, result = convert_one(bag, options_of(body), tmp_path)
    assert len(episode) >= 38
    assert f"camera:wrist: {len(which)} picture(s) dropped" in result.notes[0]
    assert episode.columns["age_s"].max() <= 0.21


def test_a_few_pictures_of_another_size_at_the_start_are_dropped(tmp_path, convert_one):
    body = variant()

    def small(event):
        picture = np.random.default_rng(event.stamp_ns).integers(0, 255, (24, 32, 3), np.uint8)
        return encode.encode_image(event.stamp_ns, "c", picture)

    change = spoiled(WRIST, lambda n: n < 2, small)
    bag = write_robot_bag(tmp_path / "bag", robot_of(body), change)
    episode, result = convert_one(bag, options_of(body), tmp_path)
    assert len(episode) == 37
    assert result.camera_sizes["wrist"] == (48, 64)
    assert "camera:wrist: 2 odd picture(s) dropped (32x24 and 64x48)" in result.notes


def test_two_numbers_are_no_command_of_one_gripper(tmp_path, convert_one):
    body = variant(gripper_command_type="float64_array")

    def two(event):
        if not event.topic.endswith("command"):
            return event
        return event._replace(data=encode.encode_float64_array([0.0, 0.08]))

    bag = write_robot_bag(tmp_path / "bag", robot_of(body), two)
    _, result = convert_one(bag, options_of(body), tmp_path)
    assert "holds 2 numbers; a gripper takes one" in result.notes[0]
    assert "no message on the command topic" in result.notes[1]


def write_with_qos(folder, robot, qos, change):
    """Write a bag whose gripper state was offered with a quality of service."""
    from synthetic_bag import robot_events

    writer = McapBagWriter(folder, {"embodiment": robot.embodiment.text, "outcome": "success"}, "")
    channels = {}
    for event in filter(None, map(change, robot_events(robot))):
        if event.topic not in channels:
            offered = qos if event.topic == STATE else ""
            definition = definition_of(event.type)
            channels[event.topic] = writer.add_topic(event.topic, event.type, definition, offered)
        writer.write(channels[event.topic], event.data, event.stamp_ns)
    writer.close(durable=False)
    return folder


def on_change(robot):
    """Return a change that leaves only the messages in which the gripper's state is new."""
    last = []

    def change(event):
        if event.topic != STATE:
            return event
        value = gripper_opening((event.stamp_ns - robot.start_ns) / SECOND, robot.seconds)
        if last[-1:] == [value]:
            return None
        last.append(value)
        gripper = robot.embodiment.arms[0].gripper
        return event._replace(data=encode.encode_float64(gripper.state_value(value)))

    return change


LATCHED = "- history: 1\n  depth: 1\n  reliability: 1\n  durability: 1\n"
VOLATILE = LATCHED.replace("durability: 1", "durability: 2")


def test_a_latched_gripper_that_is_published_on_change_holds_its_value(tmp_path, convert_one):
    body = variant()
    robot = robot_of(body)
    bag = write_with_qos(tmp_path / "bag", robot, LATCHED, on_change(robot))
    episode, result = convert_one(bag, options_of(body), tmp_path)
    assert len(episode) == 39
    assert result.notes == (
        "gripper:arm is published on change: its last value holds until the next",
    )
    assert result.lost_share == 0.0
    closed = np.flatnonzero(episode.observations["state"][:, 7] == 0.0)
    assert [closed[0], closed[-1]] == [14, 26]


@pytest.mark.parametrize("qos", [VOLATILE, ""])
def test_most_of_a_recording_lost_is_said_with_what_helps(tmp_path, capsys, qos):
    body = variant()
    robot = robot_of(body)
    bag = write_with_qos(tmp_path / "bag", robot, qos, on_change(robot))
    words = ["convert", str(bag), "--out", str(tmp_path), "--image-size", "32", "--jobs", "1"]
    words += ["--idle", "keep"]
    assert main(words) == 1
    said = capsys.readouterr().out
    assert "stale: gripper:arm in" in said
    assert "--hold gripper:arm keeps its last value" in said
    assert "more than 10% is lost (--max-loss): exit status 1" in said
    assert main([*words, "--max-loss", "0.95", "--name", "other"]) == 0
    assert main([*words, "--hold", "gripper:arm", "--name", "held"]) == 0
    assert "kept 1 of 1 bags, 39 steps" in capsys.readouterr().out


def test_a_stream_that_begins_late_is_a_loss(tmp_path, convert_one):
    body = variant()
    robot = robot_of(body)
    late = lambda e: None if e.topic == WRIST and e.stamp_ns < robot.start_ns + 2 * SECOND else e  # noqa: E731
    bag = write_robot_bag(tmp_path / "bag", robot, late)
    episode, result = convert_one(bag, options_of(body), tmp_path)
    assert len(episode) == 19
    assert result.lost_share == pytest.approx(1 / 3, abs=0.05)  # beyond the second that is usual
    assert "camera:wrist begins 2.0 s after the others" in result.loss


def test_a_bag_without_fresh_goals_offers_achieved_actions(tmp_path, convert_one):
    body = variant()
    robot = robot_of(body)
    start = robot.start_ns
    bag = write_restamped(
        tmp_path / "bag", robot, lambda topic, now: start - SECOND if topic == GOAL else now
    )
    result = convert_bag(bag, options_of(body), tmp_path / "s")
    assert "--action-source achieved" in result.reason or "--time receive" in result.reason
    without = write_robot_bag(tmp_path / "without", robot, lambda e: None if e.topic == GOAL else e)
    result = convert_bag(without, options_of(body), tmp_path / "s")
    assert "arm/target_pose" in result.reason
    assert "--action-source achieved" in result.reason
    episode, _ = convert_one(without, options_of(body, source="achieved"), tmp_path)
    assert len(episode) == 39


@pytest.mark.parametrize("base", ["base", "base_link"])
def test_transforms_reach_a_base_beside_the_chain(tmp_path, convert_one, base):
    limits = variant().arms[0].limits.model_dump()
    limits |= {"workspace_min_m": [-1.0] * 3, "workspace_max_m": [1.0] * 3}
    body = variant(pose={"tf": [base, "tool"]}, base_frame=base, limits=limits)
    robot = robot_of(body)
    turned = Pose.from_xyz_rpy([0.1, 0.0, 0.2], [0.0, 0.0, np.pi])
    flange = Pose.from_xyz_rpy([0.0, 0.0, 0.1], [0.0, 0.0, 0.0])
    static = [
        tf_event("/tf_static", robot.start_ns, "base_link", "base", turned),
        tf_event("/tf_static", robot.start_ns, "wrist", "tool", flange),
    ]

    def change(event):
        if event.topic == "/tf":
            there = arm_pose(0, 0, (event.stamp_ns - robot.start_ns) / SECOND)
            return tf_event("/tf", event.stamp_ns, "base_link", "wrist", there)
        return event

    bag = write_robot_bag(tmp_path / "bag", robot, change, static)
    episode, result = convert_one(bag, options_of(body, source="achieved"), tmp_path)
    assert (len(episode), result.notes) == (39, ())
    above = inverse(turned) if base == "base" else Pose.identity()
    for row, state in enumerate(episode.observations["state"]):
        truth = compose(above, compose(arm_pose(0, 0, 0.1 * row), flange))
        np.testing.assert_allclose(state[:3], truth.position_m, atol=1e-6)


def test_a_missing_frame_lists_those_that_are_there(tmp_path):
    body = variant(pose={"tf": ["base_link", "tool0"]})
    robot = robot_of(body)

    def change(event):
        if event.topic == "/tf":
            there = arm_pose(0, 0, 0.0)
            return tf_event("/tf", event.stamp_ns, "base_link", "flange", there)
        return event

    result = convert_bag(
        write_robot_bag(tmp_path / "bag", robot, change), options_of(body), tmp_path / "s"
    )
    assert "pose:arm: no frame 'tool0' in the transforms; valid names: base_link, flange" in (
        result.reason
    )
