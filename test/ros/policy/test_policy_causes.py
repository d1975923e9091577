# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The status names the cause of a message that is of no use, and keeps saying it."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from sensor_msgs.msg import JointState

from evla_ros.control.reasons import Reason
from evla_ros.embodiment import load_embodiment

pytestmark = pytest.mark.timeout(90)


def until(condition, what: str = "") -> None:
    end_s = time.monotonic() + 25.0
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.01)


def said_for(core, seconds: float) -> set:
    """Return every finding of the next seconds."""
    found, end_s = set(), time.monotonic() + seconds
    while time.monotonic() < end_s:
        found.add(core.status().finding)
        time.sleep(0.01)
    return found


def test_a_wrong_frame_is_named_with_the_expected_one(live_policy, robot) -> None:
    robot._embodiment = robot._embodiment.model_copy(update={"base_frame": "world"})
    core = live_policy(moving=False)._session.core
    until(lambda: core.status().finding.reason is Reason.WRONG_FRAME)
    wrong = {(Reason.WRONG_FRAME, "pose arm: comes in frame 'world', expected 'base_link'")}
    assert said_for(core, 1.0) == wrong


def test_a_wrong_joint_is_named_with_those_that_are_there(live_policy, robot, tmp_path) -> None:
    text = load_embodiment("tabletop_arm").text
    state = "state: arm/gripper/state"
    named = "state: fingers, state_type: joint_state, state_joint: finger"
    named = "\n      ".join(named.split(", "))
    file = tmp_path / "robot.yaml"
    file.write_text(text.replace(state, named))
    robot.switches.grippers = False
    node = live_policy(moving=False, embodiment=str(file))
    core = node._session.core
    fingers = robot._node.create_publisher(JointState, "fingers", 10)

    def send(**positions: float) -> None:
        fingers.publish(JointState(name=list(positions), position=list(positions.values())))

    def said() -> bool:
        send(left_finger=0.04, right_finger=0.04)
        return core.status().finding.reason is Reason.WRONG_JOINT

    until(said)
    detail = "gripper arm: no joint 'finger'; the message has left_finger, right_finger"
    assert core.status().finding.detail == detail

    def mixed() -> bool:  # two drivers on one topic, the wrong one twice as often
        send(finger=0.04)
        send(left_finger=0.04)
        send(right_finger=0.04)
        return core.status().finding.reason is Reason.NOT_STARTED

    until(mixed)
    end_s = time.monotonic() + 1.0
    while time.monotonic() < end_s:
        mixed()
        assert core.status().finding.reason is not Reason.WRONG_JOINT
        time.sleep(0.01)


def test_an_encoding_that_is_not_known_is_one_reason_all_the_time(live_policy, robot) -> None:
    node = live_policy(resume_within_s=1.0)
    core = node._session.core
    until(lambda: core.status().moving)
    robot.image_message.encoding = "rainbow8"
    until(lambda: core.status().finding.reason is Reason.INPUT_INVALID)
    found = said_for(core, 3.0)
    assert {finding.reason for finding in found} == {Reason.INPUT_INVALID}
    assert all("rainbow8" in finding.detail for finding in found)
    assert not core.status().started
    assert node._session.start_motion().reason is Reason.INPUT_INVALID
    robot.image_message.encoding = "rgb8"
    until(lambda: core.status().finding.reason is Reason.NOT_STARTED)  # good again, and waits
    assert node._session.start_motion() is None
