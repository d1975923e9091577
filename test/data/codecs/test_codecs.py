# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gripper values and pictures survive their messages, in every form that the table names."""

from __future__ import annotations

import math

import numpy as np
import pytest
import yaml

from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import definition_of, typestore
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.camera import is_compressed, picture_to_cdr, rgb_from_cdr
from evla_ros.data.codecs.gripper import (
    gripper_fields,
    gripper_from_cdr,
    gripper_to_cdr,
    gripper_value,
)
from evla_ros.data.codecs.joints import JointPositions
from evla_ros.data.codecs.pose import pose_from_cdr
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.image_message import ImageMessageError
from evla_ros.data.messages import decode_compressed_image, decode_image
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import COMPRESSED_IMAGE, FLOAT64, IMAGE, Kind, streams_of
from evla_ros.geometry.pose import Pose, distance

FORMS = {
    "numbers": {},
    "array": {"command_type": "float64_array"},
    "joint": {"state_type": "joint_state", "state_joint": "finger"},
}


def robot(form):
    tree = yaml.safe_load(load_embodiment("tabletop_arm").text)
    tree["arms"][0]["gripper"].update(FORMS[form])
    return parse_embodiment(yaml.safe_dump(tree), source=form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", [Kind.GRIPPER, Kind.GRIPPER_COMMAND])
def test_a_device_value_survives_cdr_and_fields(form, kind):
    body = robot(form)
    stream = streams_of(body).get(kind, "arm")
    data = gripper_to_cdr(stream, 5, 0.02)
    message = gripper_from_cdr(stream, data)
    assert message.values == (0.02,)
    assert message.stamp_ns == (5 if stream.selector else 0)
    assert gripper_value(stream, data) == (message.stamp_ns, 0.02)
    sent = typestore().deserialize_cdr(data, stream.type)
    for field, value in gripper_fields(stream, 0.02).items():
        assert np.array_equal(getattr(sent, field), value), field


def test_every_type_of_the_table_can_be_recorded():
    types = {s.type for form in FORMS for s in streams_of(robot(form))}
    assert all(definition_of(name).text for name in types)


def test_a_message_about_other_joints_has_no_value():
    stream = streams_of(robot("joint")).get(Kind.GRIPPER, "arm")
    others = encode.encode_joint_state(7, ["elbow"], [1.0])
    assert gripper_value(stream, others) == (7, None)
    without = encode.encode_joint_state(7, ["elbow", "finger"], [1.0])
    with pytest.raises(BadSampleError, match="joint 'finger' has no position"):
        gripper_value(stream, without)
    both = encode.encode_joint_state(7, ["elbow", "finger"], [1.0, 0.08])
    assert gripper_value(stream, both) == (7, 0.08)


@pytest.mark.parametrize(
    ("kind", "data", "fault"),
    [
        (Kind.GRIPPER_COMMAND, encode.encode_float64_array([]), "message"),
        (Kind.GRIPPER_COMMAND, encode.encode_float64_array([0.08, 0.0]), "message"),
        (Kind.GRIPPER_COMMAND, encode.encode_float64_array([math.nan]), "finite"),
        (Kind.GRIPPER, encode.encode_float64(math.inf), "finite"),
        (Kind.GRIPPER, b"\0\1", "message"),
    ],
)
def test_what_is_not_one_number_is_a_bad_sample(kind, data, fault):
    with pytest.raises(BadSampleError) as caught:
        gripper_value(streams_of(robot("array")).get(kind, "arm"), data)
    assert caught.value.fault == fault


def test_a_pose_comes_in_the_base_frame_or_in_none():
    there = Pose.from_xyz_rpy([0.1, 0.2, 0.3], [0.0, 0.0, 1.0])
    for frame in ("base_link", "/base_link", ""):
        message = pose_from_cdr(encode.encode_pose(5, frame, there), "base_link")
        assert message.stamp_ns == 5
        assert distance(message.pose, there) < (1e-9, 1e-6)
    with pytest.raises(
        BadSampleError, match="comes in frame 'map', expected 'base_link'"
    ) as caught:
        pose_from_cdr(encode.encode_pose(5, "map", there), "base_link")
    assert caught.value.fault == "frame"
    broken = encode.encode_pose(5, "base_link", there)[:-8]
    for data, fault in ((broken, "message"), (broken + np.float64(np.nan).tobytes(), "finite")):
        with pytest.raises(BadSampleError) as caught:
            pose_from_cdr(data, "base_link")
        assert caught.value.fault == fault


def test_joints_of_several_publishers_are_as_old_as_the_oldest():
    joints = JointPositions(["j1", "j2", "finger"])
    assert (
        joints.push(encode.encode_joint_state(10, ["j1", "j2", "other"], [1.0, 2.0, 3.0])) is None
    )
    assert joints.missing == ["finger"]
    assert joints.push(encode.encode_joint_state(12, ["wheel"], [0.0])) is None
    found = joints.push(encode.encode_joint_state(15, ["finger"], [0.5]))
    assert found == (10, {"j1": 1.0, "j2": 2.0, "finger": 0.5}, 5)
    with pytest.raises(BadSampleError, match="joint 'j2' is at nan"):
        joints.push(encode.encode_joint_state(20, ["j1", "j2"], [1.5, math.nan]))
    found = joints.push(encode.encode_joint_state(30, ["finger"], [0.6]))
    assert found == (10, {"j1": 1.5, "j2": 2.0, "finger": 0.6}, 20)
    bare = JointPositions(["j1"]).push(encode.encode_joint_state(0, ["j1"], [1.0]), 40)
    assert bare.stamp_ns == 40, "a message without a stamp is of the time it came"


@pytest.mark.parametrize("message_type", [IMAGE, COMPRESSED_IMAGE])
def test_a_picture_survives_its_message(message_type):
    picture = np.full((16, 24, 3), (200, 30, 60), np.uint8)
    for given in (picture, encode_jpeg(picture)):
        data = picture_to_cdr(message_type, 5, "camera", given)
        read = decode_compressed_image if is_compressed(message_type) else decode_image
        assert read(data).header == (5, "camera")
        assert np.abs(rgb_from_cdr(data, message_type).astype(int) - picture).max() <= 3
    assert is_compressed(message_type) is (message_type == COMPRESSED_IMAGE)


def test_a_jpeg_is_sent_as_it_is():
    jpeg = encode_jpeg(np.zeros((8, 8, 3), np.uint8))
    data = picture_to_cdr(COMPRESSED_IMAGE, 0, "camera", jpeg)
    assert decode_compressed_image(data).data.tobytes() == jpeg


def test_what_is_no_picture_is_refused():
    with pytest.raises(ImageMessageError, match="is no picture; use sensor_msgs/msg/Image"):
        rgb_from_cdr(b"", FLOAT64)
