# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A callback of the policy node that raises: the robot holds for a reason, and the node lives."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")


from evla_ros.control.reasons import Reason

pytestmark = pytest.mark.timeout(60)


def until(condition) -> None:
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def failing(*_: object, **__: object) -> None:
    raise ZeroDivisionError("of the test's own")


def test_a_control_topic_that_cannot_be_taken_ends_motion(live_policy, robot, monkeypatch) -> None:
    node = live_policy()
    core = node._session.core
    until(lambda: core.status().moving)
    monkeypatch.setattr(core, "set_estop", failing)
    robot.press_estop(True)
    until(lambda: not core.status().started)
    last = core.status().last_stop.finding
    assert last.reason is Reason.INPUT_INVALID
    assert "topic estop: ZeroDivisionError: of the test's own" in last.detail
    monkeypatch.undo()
    robot.press_estop(True)
    until(lambda: core.status().finding.reason is Reason.ESTOP)


def test_a_stop_message_that_cannot_be_decoded_ends_motion(live_policy, robot) -> None:
    core = live_policy()._session.core
    until(lambda: core.status().moving)
    robot._estop.publish(b"\0\1\0\0")
    until(lambda: not core.status().started)
    assert "topic estop: 4 bytes" in core.status().last_stop.finding.detail


def test_a_camera_that_cannot_be_taken_is_an_invalid_input(live_policy, monkeypatch) -> None:
    node = live_policy(resume_within_s=20.0)
    core = node._session.core
    until(lambda: core.status().moving)
    with monkeypatch.context() as broken:
        broken.setattr(core._controller.inputs.cameras["wrist"], "note", failing)
        until(lambda: core.status().finding.reason is Reason.INPUT_INVALID)
        assert "camera wrist: topic" in core.status().finding.detail
    until(lambda: core.status().moving)


def test_a_service_that_fails_is_answered_and_ends_motion(live_policy, robot, monkeypatch) -> None:
    from std_srvs.srv import Trigger

    node = live_policy()
    core = node._session.core
    until(lambda: core.status().moving)
    monkeypatch.setattr(core, "reset_estop", failing)
    client = robot._node.create_client(Trigger, "policy/reset_estop")
    assert client.wait_for_service(10.0)
    future = client.call_async(Trigger.Request())
    until(future.done)
    assert not future.result().success
    assert "ZeroDivisionError" in future.result().message
    assert not core.status().started


def test_an_image_that_is_no_image_is_an_invalid_input(live_policy, robot) -> None:
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    node = live_policy(resume_within_s=20.0)
    core = node._session.core
    until(lambda: core.status().moving)
    topic = core.embodiment.cameras["wrist"].topic
    publisher = robot._node.create_publisher(Image, topic, qos_profile_sensor_data)
    until(publisher.get_subscription_count)
    seen = []

    def said() -> bool:
        publisher.publish(bytes.fromhex("ffff0000") + bytes(60))
        seen.append(core.status().finding.detail)
        return "header 'ffff0000'" in seen[-1]

    until(said)
    robot._node.destroy_publisher(publisher)
    until(lambda: core.status().moving)


def test_an_instruction_that_is_not_utf8_ends_motion(live_policy, robot) -> None:
    node = live_policy()
    core = node._session.core
    until(lambda: core.status().moving)
    robot._instruction.publish(bytes.fromhex("0001000005000000") + b"caf\xe9\0")
    until(lambda: not core.status().started)
    finding = core.status().last_stop.finding
    assert finding.reason is Reason.INPUT_INVALID
    assert "UTF-8" in finding.detail


def test_a_huge_instruction_is_refused_at_the_door(live_policy, robot) -> None:
    from evla_ros.ros.policy.shared_core import MAX_INSTRUCTION
    from evla_ros.srv import SetInstruction

    node = live_policy()
    core = node._session.core
    until(lambda: core.status().moving)
    client = robot._node.create_client(SetInstruction, "policy/set_instruction")
    assert client.wait_for_service(10.0)
    future = client.call_async(SetInstruction.Request(instruction="x" * 210_000))
    until(future.done)
    assert not future.result().success
    said = f"has 210000 characters; at most {MAX_INSTRUCTION} are taken"
    assert said in future.result().message
    assert core.status().moving
    robot.say("x" * 210_000)
    until(lambda: not core.status().started)
    assert said in core.status().last_stop.finding.detail
    assert core.status().instruction == "draw a circle"
