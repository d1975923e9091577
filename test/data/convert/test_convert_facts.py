# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the embodiment file says is held against the recording: units, ranges, limits, formats."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import yaml
from synthetic_bag import Event, SyntheticRobot, arm_pose, gripper_opening, write_robot_bag

from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import typestore
from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import COMPRESSED_IMAGE, JOINT_STATE
from evla_ros.geometry.pose import Pose

SECOND = 1_000_000_000
POSE, GOAL = "/arm/current_pose", "/arm/target_pose"
STATE, COMMAND = "/arm/gripper/state", "/arm/gripper/command"


def body_with(gripper=None, **changes):
    tree = yaml.safe_load(load_embodiment("tabletop_arm").text)
    tree["arms"][0]["gripper"].update(gripper or {})
    for key, value in changes.items():
        (tree["arms"][0] if key in ("joints", "limits") else tree)[key] = value
    return parse_embodiment(yaml.safe_dump(tree), source="test")


BODY = body_with()


def robot_of(body=BODY):
    return SyntheticRobot(body, seconds=4.0, camera_hz=10.0)


def options_of(body=BODY, **changes):
    return ConvertOptions(body.text, image_size=(32, 32), idle="keep", **changes)


def converted(tmp_path, change=lambda e: e, body=BODY, extra=(), **changes):
    bag = write_robot_bag(tmp_path / "bag", robot_of(body), change, extra)
    return convert_bag(bag, options_of(body, **changes), tmp_path / "s")


def opening(event, delay_s=0.0):
    robot = robot_of()
    return gripper_opening((event.stamp_ns - robot.start_ns) / SECOND - delay_s, robot.seconds)


def says(topic, value_of):
    """Return a change that sends other numbers on a gripper's topic."""

    def change(event):
        if event.topic != topic:
            return event
        return event._replace(data=encode.encode_float64(value_of(opening(event))))

    return change


@pytest.mark.parametrize(
    ("topic", "value_of", "said"),
    [
        (STATE, lambda o: 80 * o, "gripper:arm goes from 0 to 80, beyond closed 0 to open 0.08"),
        (STATE, lambda o: 100 * o, "gripper:arm goes from 0 to 100"),
        (COMMAND, lambda o: 255 * o, "gripper_command:arm goes from 0 to 255"),
        (STATE, lambda o: 0.008 * o, "at most 0.10 of the way from closed to open (its values go"),
        (STATE, lambda o: 0.08 * (1 - o), "are open and closed swapped?"),
        (STATE, lambda _: 0.08, "is told to move and its state never changes"),
        (STATE, lambda _: 0.0, "at most 0.00 of the way"),
    ],
)
def test_a_gripper_in_other_units_is_refused(tmp_path, topic, value_of, said):
    result = converted(tmp_path, says(topic, value_of))
    assert result.status == "dropped"
    assert said in result.reason
    assert "--allow" in result.reason


@pytest.mark.parametrize("grip", [0.1, 0.5, 0.9])
def test_a_gripper_that_ends_on_an_object_is_fine(tmp_path, grip):
    result = converted(tmp_path, says(STATE, lambda o: 0.08 * max(o, grip)))
    assert (result.status, result.notes) == ("kept", ())


def test_command_and_state_may_have_units_of_their_own(tmp_path, convert_one):
    body = body_with({"open": 1.0, "closed": 0.0, "state_open": 0.0, "state_closed": 45.0})
    bag = write_robot_bag(tmp_path / "bag", robot_of(body))
    episode, result = convert_one(bag, options_of(body), tmp_path)
    assert result.notes == ()
    assert set(episode.action[:, 6]) == set(episode.observations["state"][:, 7]) == {0.0, 1.0}
    assert "state_open" not in BODY.model_dump_json()


@pytest.mark.parametrize("grip", [0.05, 0.62, 0.8])
@pytest.mark.parametrize("empty", [True, False])
def test_without_commands_the_gripper_closes_when_its_opening_shrinks(
    tmp_path, convert_one, grip, empty
):
    move = says(STATE, lambda o: 0.08 * max(o, grip))
    bag = write_robot_bag(
        tmp_path / "bag",
        robot_of(),
        lambda e: None if e.topic == COMMAND and (empty or e.stamp_ns >= 0) else move(e),
    )
    episode, result = convert_one(bag, options_of(), tmp_path)
    assert "no message on the command topic arm/gripper/command" in result.notes[0]
    closed = np.flatnonzero(episode.action[:, 6] == 0.0)
    assert [closed[0], closed[-1]] == [13, 25]


def scaled(topic, factor, offset=(0.0, 0.0, 0.0)):
    def change(event):
        if event.topic not in topic:
            return event
        there = arm_pose(0, 0, (event.stamp_ns - robot_of().start_ns) / SECOND)
        pose = Pose(there.position_m * factor + np.array(offset), there.quaternion_xyzw)
        return event._replace(data=encode.encode_pose(event.stamp_ns, "base_link", pose))

    return change


@pytest.mark.parametrize(
    ("topic", "factor", "offset", "said"),
    [
        ((POSE,), 1000.0, (0, 0, 0), "pose:arm is outside the workspace"),
        ((POSE, GOAL), 1000.0, (0, 0, 0), "(millimetres?)"),
        ((GOAL,), 1.0, (0.0, 2.0, 0.0), "goal:arm is outside the workspace"),
        ((POSE, GOAL), 1.0, (0.0, 0.0, -1.0), "in 100% of the ticks, as far as"),
    ],
)
def test_poses_outside_the_workspace_are_refused(tmp_path, topic, factor, offset, said):
    result = converted(tmp_path, scaled(topic, factor, offset))
    assert said in result.reason
    assert "gate 'workspace'" in result.reason


def test_a_few_steps_beyond_the_limits_are_told_and_many_are_refused(tmp_path):
    limits = BODY.arms[0].limits.model_dump()
    result = converted(
        tmp_path, body=body_with(limits=limits | {"max_step_m": 0.0125}), source="achieved"
    )
    assert "actions of arm arm exceed its limits (max_step_m 0.0125" in (
        result.reason + "".join(result.notes)
    )
    many = body_with(limits=limits | {"max_step_m": 0.004})
    result = convert_bag(tmp_path / "bag", options_of(many, allow=("embodiment",)), tmp_path / "t")
    assert "gate 'step'" in result.reason


def test_joints_in_degrees_are_refused(tmp_path):
    body = body_with(joints=["j1", "j2"], proprio=["joint_positions", "gripper"])
    start = robot_of().start_ns
    degrees = [
        Event(stamp, "/joint_states", JOINT_STATE,
              encode.encode_joint_state(stamp, ["j1", "j2"], [0.3, -45.0 + index / 5]))
        for index in range(200)
        for stamp in [start + index * SECOND // 50]
    ]  # fmt: skip
    result = converted(tmp_path, body=body, extra=degrees)
    assert "joint arm_j2 goes from -45.0 to" in result.reason
    assert "degrees? JointState is in radians" in result.reason


def compressed(event, array, extension, format_):
    store = typestore()
    types = store.types
    stamp = types["builtin_interfaces/msg/Time"](*divmod(event.stamp_ns, SECOND))
    header = types["std_msgs/msg/Header"](stamp, "camera")
    data = np.frombuffer(cv2.imencode(extension, array)[1].tobytes(), np.uint8)
    message = types[COMPRESSED_IMAGE](header, format_, data)
    return event._replace(
        type=COMPRESSED_IMAGE, data=bytes(store.serialize_cdr(message, COMPRESSED_IMAGE))
    )


def compressed_body():
    tree = yaml.safe_load(BODY.text)
    tree["cameras"]["wrist"]["transport"] = "compressed"
    return parse_embodiment(yaml.safe_dump(tree), source="test")


def depth(event, kind=np.uint16):
    ramp = np.linspace(500, 1500, 48 * 64).reshape(48, 64) + event.stamp_ns // SECOND % 100
    return ramp.astype(kind)


@pytest.mark.parametrize(
    ("format_", "said"),
    [
        ("16UC1; png compressed ", "image encoding '16UC1' has no colour picture"),
        ("32FC1; compressedDepth png", "image encoding '32FC1' has no colour picture"),
        ("16UC1; compressedDepth", "image encoding '16UC1'"),
        ("png", "its format 'png' names no encoding of a picture: it looks like depth"),
        ("", "it looks like depth"),
    ],
)
def test_compressed_depth_is_refused_as_raw_depth_is(tmp_path, format_, said):
    def change(event):
        if "wrist" not in event.topic:
            return event
        return compressed(event, depth(event), ".png", format_)

    result = converted(tmp_path, change, body=compressed_body())
    assert result.status == "dropped"
    assert said in result.reason


def mosaic(rgb):
    """Return what a sensor with the pattern RGGB sees."""
    seen = np.zeros(rgb.shape[:2], np.uint8)
    seen[0::2, 0::2], seen[1::2, 1::2] = rgb[0::2, 0::2, 0], rgb[1::2, 1::2, 2]
    seen[0::2, 1::2], seen[1::2, 0::2] = rgb[0::2, 1::2, 1], rgb[1::2, 0::2, 1]
    return seen


@pytest.mark.parametrize(
    ("format_", "make"),
    [
        ("bayer_rggb8; png compressed ", mosaic),
        ("rgb8; png compressed bgr8", lambda rgb: rgb[:, :, ::-1]),
        ("png", lambda rgb: rgb[:, :, ::-1]),
        ("mono16; png compressed ", lambda rgb: rgb[:, :, 0].astype(np.uint16) * 257),
        ("mono8; png compressed ", lambda rgb: rgb[:, :, 0]),
    ],
)
def test_compressed_pictures_are_those_that_went_in(format_, make):
    from evla_ros.data.codecs.camera import rgb_from_cdr

    rgb = np.full((48, 64, 3), (200, 90, 30), np.uint8)
    event = compressed(Event(SECOND, "/camera", "", b""), make(rgb), ".png", format_)
    seen = rgb_from_cdr(event.data, COMPRESSED_IMAGE)
    expected = rgb if "mono" not in format_ else np.repeat(rgb[:, :, :1], 3, axis=2)
    assert np.abs(seen[2:-2, 2:-2].astype(int) - expected[2:-2, 2:-2]).max() <= 1
