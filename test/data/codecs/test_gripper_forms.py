# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Grippers as they are sold: a trajectory for a joint, two fingers, a mirrored one, actions."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import typestore
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.gripper import (
    gripper_fields,
    gripper_from_cdr,
    gripper_to_cdr,
    gripper_value,
)
from evla_ros.embodiment import EmbodimentError, load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import JOINT_TRAJECTORY, Kind, streams_of

FINGERS = {"state_type": "joint_state", "state_joints": ["left", "right"], "state": "joint_states"}
TRAJECTORY = {"command_type": "joint_trajectory", "command_joint": "finger"}


def robot(**changes):
    tree = yaml.safe_load(load_embodiment("tabletop_arm").text)
    tree["arms"][0]["gripper"].update(changes)
    return parse_embodiment(yaml.safe_dump(tree), source="variant")


def test_a_trajectory_moves_one_joint():
    stream = streams_of(robot(**TRAJECTORY)).get(Kind.GRIPPER_COMMAND, "arm")
    assert (stream.type, stream.selector) == (JOINT_TRAJECTORY, ("finger",))
    data = gripper_to_cdr(stream, 5, 0.02)
    assert gripper_value(stream, data) == (0, 0.02)
    sent = typestore().deserialize_cdr(data, stream.type)
    fields = gripper_fields(stream, 0.02)
    assert (sent.joint_names, fields["joint_names"]) == (["finger"], ["finger"])
    assert sent.points[0].positions.tolist() == fields["points"][0]["positions"] == [0.02]
    other = encode.encode_joint_trajectory(["elbow"], [1.0], 0.5)
    assert gripper_from_cdr(stream, other).values == ()


def test_two_fingers_are_averaged():
    stream = streams_of(robot(**FINGERS)).get(Kind.GRIPPER, "arm")
    data = encode.encode_joint_state(7, ["left", "elbow", "right"], [0.02, 1.0, 0.04])
    assert gripper_value(stream, data) == (7, pytest.approx(0.03))
    assert gripper_value(stream, gripper_to_cdr(stream, 7, 0.01)) == (7, pytest.approx(0.01))
    one = encode.encode_joint_state(7, ["left"], [0.02])
    assert gripper_value(stream, one) == (7, None)  # half of it is no opening
    with pytest.raises(BadSampleError, match="'right' has no position"):
        gripper_value(stream, encode.encode_joint_state(7, ["left", "right"], [0.02]))


def test_a_mirrored_finger_is_a_matter_of_its_ends():
    """A finger that counts downwards as it opens needs no key of its own."""
    gripper = robot(open=-0.04, closed=0.0).arms[0].gripper
    openings = [gripper.measured_opening(value) for value in (-0.04, -0.01, 0.0)]
    np.testing.assert_allclose(openings, [1.0, 0.25, 0.0])


def test_what_the_file_leaves_out_enters_no_hash():
    plain = load_embodiment("tabletop_arm")
    assert robot(command_joint=None, max_effort=None, state_joints=[]).content_hash == (
        plain.content_hash
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"command_type": "joint_trajectory"}, "'command_joint' goes with"),
        ({"command_joint": "finger"}, "'command_joint' goes with"),
        ({"command_type": "parallel_gripper_action"}, "'command_joint' goes with"),
        ({"max_effort": 10.0}, "'max_effort' has no effect"),
        ({"state_joints": ["left"]}, "'state_joint' goes with"),
        ({**FINGERS, "state_joint": "left"}, "not both"),
        ({**FINGERS, "state_joints": ["left", "left"]}, "state joint 'left' is used twice"),
        ({"command_type": "gripper_acton"}, "command_type"),
    ],
)
def test_what_cannot_be_is_refused(changes, words):
    with pytest.raises(EmbodimentError) as error:
        robot(**changes)
    assert words in str(error.value)
