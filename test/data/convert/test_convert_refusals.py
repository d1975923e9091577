# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of which nothing is written: gates, missing topics, other robots, damage; with reasons."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from synthetic_bag import arm_pose, write_robot_bag

from evla_ros.data.bags import encode
from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.data.convert.gates import GATES
from evla_ros.geometry.pose import Pose

SECOND = 1_000_000_000


def pose_event(event, pose):
    return event._replace(data=encode.encode_pose(event.stamp_ns, "base_link", pose))


def nan_pose(event):
    data = bytearray(event.data)
    data[-8:] = np.array([np.nan]).tobytes()
    return event._replace(data=bytes(data))


def black(event):
    pixels = np.zeros((48, 64, 3), np.uint8)
    return event._replace(data=encode.encode_image(event.stamp_ns, "c", pixels))


def grey(event):
    pixels = np.full((48, 64, 3), 120, np.uint8)
    return event._replace(data=encode.encode_image(event.stamp_ns, "c", pixels))


def small_later(event):
    size = (48, 64, 3) if event.stamp_ns % SECOND < SECOND // 2 else (24, 32, 3)
    pixels = np.random.default_rng(event.stamp_ns % 999).integers(30, 200, size, dtype=np.uint8)
    return event._replace(data=encode.encode_image(event.stamp_ns, "c", pixels))


def only(topic, fault, event):
    return fault(event) if event.topic == topic else event


STILL = Pose(np.array([0.4, 0.0, 0.3]), np.array([0.0, 0.0, 0.0, 1.0]))
FAULTS = {
    "nan": ("arm/current_pose", nan_pose, "nan] is not finite"),
    "frame": (
        "arm/current_pose",
        lambda e: e._replace(data=encode.encode_pose(e.stamp_ns, "map", STILL)),
        "frame",
    ),
    "black": ("camera/wrist/image_raw", black, "black"),
    "frozen": ("camera/wrist/image_raw", grey, "frozen"),
    "size": ("camera/wrist/image_raw", small_later, "size"),
    "still": ("arm/current_pose", lambda e: pose_event(e, STILL), "constant"),
    "goals": ("arm/target_pose", lambda e: pose_event(e, STILL), "constant"),
    "gripper": (
        "arm/gripper/state",
        lambda e: e._replace(data=encode.encode_float64(float("nan"))),
        "value nan is not finite",
    ),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_gate_drops_the_bag_before_anything_is_written(robot, options, tmp_path, name):
    topic, fault, gate = FAULTS[name]
    change = partial(only, "/" + topic, fault)
    bag = write_robot_bag(tmp_path / "bag", robot, change)
    result = convert_bag(bag, options, tmp_path / "staging")
    assert result.status == "dropped"
    assert (f"gate {gate!r}" if gate in GATES else gate) in result.reason
    assert not list((tmp_path / "staging").glob("*")) if (tmp_path / "staging").exists() else True


def test_allowed_gate_lets_the_bag_through(robot, options, tmp_path):
    change = FAULTS["black"][1]
    bag = write_robot_bag(tmp_path / "bag", robot, lambda e: change(e) if "wrist" in e.topic else e)
    allowing = replace(options, allow=("black", "frozen"))
    assert convert_bag(bag, allowing, tmp_path / "s").status == "kept"


def test_empty_language_is_refused_and_can_be_given(robot, options, tmp_path, convert_one):
    bag = write_robot_bag(tmp_path / "bag", replace(robot, instruction=" "))
    result = convert_bag(bag, options, tmp_path / "s")
    assert "gate 'language'" in result.reason
    episode, _ = convert_one(bag, replace(options, instruction="wave"), tmp_path)
    assert set(episode.instructions) == {"wave"}


def test_missing_topic_is_named_with_the_nearest(robot, options, tmp_path):
    bag = write_robot_bag(
        tmp_path / "bag",
        robot,
        lambda e: e._replace(topic="/arm/targetpose") if "target" in e.topic else e,
    )
    result = convert_bag(bag, options, tmp_path / "s")
    assert "arm/target_pose" in result.reason
    assert "/arm/targetpose" in result.reason
    assert convert_bag(bag, replace(options, source="achieved"), tmp_path / "s").status == "kept"


def test_another_embodiment_inside_the_bag_is_refused_with_the_difference(robot, options, tmp_path):
    text = robot.embodiment.text.replace("chunk: 8", "chunk: 4")
    bag = write_robot_bag(tmp_path / "bag", robot)
    result = convert_bag(bag, replace(options, embodiment_text=text), tmp_path / "s")
    assert "action.chunk" in result.reason


def test_corrupt_bag_is_quarantined_with_a_reason(robot, options, tmp_path):
    bag = write_robot_bag(tmp_path / "bag", robot)
    file = next(bag.glob("*.mcap"))
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    file.write_bytes(raw)
    result = convert_bag(bag, options, tmp_path / "s")
    assert result.status == "quarantined"
    assert "checksum" in result.reason.lower()


def test_bag_of_the_official_recorder_without_our_topics_is_dropped_with_their_names(
    shared, options, tmp_path
):
    result = convert_bag(shared / "data" / "rosbag2" / "talker_mcap", options, tmp_path / "s")
    assert result.status == "dropped"
    assert "camera/primary/image_raw" in result.reason


def test_clock_jump_is_a_reason(robot, options, tmp_path):
    def jump(event):
        if event.topic[1:] == "arm/current_pose" and event.stamp_ns > robot.start_ns + 2 * SECOND:
            old = arm_pose(0, 0, 1.0)
            return event._replace(data=encode.encode_pose(robot.start_ns, "base_link", old))
        return event

    result = convert_bag(write_robot_bag(tmp_path / "bag", robot, jump), options, tmp_path / "s")
    assert "jumps back" in result.reason
