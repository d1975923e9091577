# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of a robot's topics names each of them once, with the type that its messages have."""

from __future__ import annotations

import re

import pytest
import yaml

from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import (
    COMPRESSED_IMAGE,
    FLOAT64,
    FLOAT64_ARRAY,
    IMAGE,
    JOINT_STATE,
    POSE_STAMPED,
    TF_MESSAGE,
    Direction,
    Kind,
    Role,
    StreamKey,
    streams_of,
)

TABLETOP = load_embodiment("tabletop_arm")
HUMANOID = load_embodiment("humanoid_upper_body")


def variant(body, change):
    tree = yaml.safe_load(body.text)
    change(tree)
    return parse_embodiment(yaml.safe_dump(tree), source="variant")


def with_tf(tree):
    for arm in tree["arms"]:
        arm["pose"] = {"tf": ["base_link", f"{arm['name']}_tool"]}


def with_joint_gripper(tree):
    names = {"state": "joint_states", "state_type": "joint_state", "state_joint": "finger"}
    tree["arms"][0]["gripper"].update(names, command_type="float64_array")


def with_jpeg(tree):
    tree["cameras"]["wrist"].update(transport="compressed", topic="wrist/compressed")


def topics_in(text):
    """Return every topic that the text of an embodiment file names, found without the schema."""
    tree = yaml.safe_load(text)
    found = [camera["topic"] for camera in tree["cameras"].values()]
    found.append(tree["instruction"]["topic"])
    for arm in tree["arms"]:
        found += [arm["pose"]["topic"]] if "topic" in arm["pose"] else ["/tf", "/tf_static"]
        found += [arm["goal"]["topic"], arm["gripper"]["state"], arm["gripper"]["command"]]
    return {*found, "joint_states", "estop"}


@pytest.mark.parametrize(
    "body",
    [
        TABLETOP,
        HUMANOID,
        variant(HUMANOID, with_tf),
        variant(TABLETOP, with_joint_gripper),
        variant(TABLETOP, with_jpeg),
    ],
)
def test_every_topic_of_the_file_is_there_once_and_nothing_else(body):
    by_topic = streams_of(body).by_topic()
    assert set(by_topic) == topics_in(body.text)
    keys = [stream.key for stream in streams_of(body)]
    assert len(keys) == len(set(keys)) == sum(len(streams) for streams in by_topic.values())
    for topic, streams in by_topic.items():
        assert len({stream.type for stream in streams}) == 1, topic


def test_the_rows_of_the_tabletop_arm():
    rows = {str(s.key): (s.topic, s.type, s.role.value) for s in streams_of(TABLETOP)}
    assert rows == {
        "camera:primary": ("camera/primary/image_raw", IMAGE, "observation"),
        "camera:wrist": ("camera/wrist/image_raw", IMAGE, "observation"),
        "pose:arm": ("arm/current_pose", POSE_STAMPED, "state"),
        "goal:arm": ("arm/target_pose", POSE_STAMPED, "goal"),
        "gripper:arm": ("arm/gripper/state", FLOAT64, "state"),
        "gripper_command:arm": ("arm/gripper/command", FLOAT64, "command"),
        "joints": ("joint_states", JOINT_STATE, "state"),
        "instruction": ("instruction", "std_msgs/msg/String", "control"),
        "estop": ("estop", "std_msgs/msg/Bool", "control"),
    }


def test_what_the_policy_and_an_episode_need_comes_at_the_rate_of_the_actions():
    needed = [s for s in streams_of(HUMANOID) if s.required]
    assert [str(s.key) for s in needed] == [
        "camera:primary", "camera:left_wrist", "camera:right_wrist",
        "pose:left", "gripper:left", "pose:right", "gripper:right",
    ]  # fmt: skip
    assert {s.rate_hz for s in needed} == {HUMANOID.rate_hz}
    assert all(s.max_age_s is not None for s in needed)
    joints = variant(TABLETOP, lambda tree: tree["proprio"].append("joint_positions"))
    assert not streams_of(TABLETOP).get(Kind.JOINTS).required
    assert streams_of(joints).get(Kind.JOINTS).required


def test_only_goals_and_commands_go_out_and_they_go_reliably():
    for stream in streams_of(HUMANOID):
        told = stream.role in (Role.GOAL, Role.COMMAND)
        assert stream.role.direction is (Direction.OUTPUT if told else Direction.INPUT)
        assert stream.delivery.reliable is (told or stream.role is Role.CONTROL), stream.key
    latched = [s.key.kind for s in streams_of(HUMANOID) if s.delivery.latched]
    assert latched == [Kind.INSTRUCTION]


def test_poses_from_tf_share_one_topic_and_name_their_frames():
    streams = streams_of(variant(HUMANOID, with_tf))
    left, right = streams.of_kind(Kind.POSE)
    assert streams.by_topic()["/tf"] == (left, right)
    assert left.type == right.type == TF_MESSAGE
    assert (left.selector, right.selector) == (
        ("base_link", "left_tool"),
        ("base_link", "right_tool"),
    )
    static = streams.get(Kind.TF_STATIC)
    assert (static.topic, static.delivery.latched, static.required) == ("/tf_static", True, False)
    assert streams_of(HUMANOID).find(Kind.TF_STATIC) is None


def test_other_words_of_the_file_are_other_types():
    streams = streams_of(variant(TABLETOP, with_joint_gripper))
    gripper = streams.get(Kind.GRIPPER, "arm")
    assert (gripper.type, gripper.selector) == (JOINT_STATE, ("finger",))
    assert streams.get(Kind.GRIPPER_COMMAND, "arm").type == FLOAT64_ARRAY
    assert streams_of(variant(TABLETOP, with_jpeg)).get(Kind.CAMERA, "wrist").type == (
        COMPRESSED_IMAGE
    )


def test_an_arm_without_a_gripper_has_no_gripper_streams():
    bare = streams_of(variant(TABLETOP, lambda tree: tree["arms"][0].pop("gripper")))
    assert not bare.of_kind(Kind.GRIPPER) + bare.of_kind(Kind.GRIPPER_COMMAND)
    with pytest.raises(KeyError, match=re.escape("GRIPPER")):
        bare.get(Kind.GRIPPER, "arm")


def test_a_key_reads_as_kind_and_name():
    assert str(StreamKey(Kind.CAMERA, "primary")) == f"{StreamKey(Kind.CAMERA, 'primary')}"
    assert f"{StreamKey(Kind.CAMERA, 'primary')}" == "camera:primary"
    assert f"{StreamKey(Kind.ESTOP)}" == "estop"
