# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stop buttons, teleoperation and instructions count whatever their publishers offer, and when."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Bool, String

from evla_ros.control.reasons import Reason
from evla_ros.ros.qos import latched

pytestmark = pytest.mark.timeout(90)
OFFERS = {
    "best effort": QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT),
    "reliable": QoSProfile(depth=10),
    "latched": QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL),
}


def until(condition, what: str = "") -> None:
    end_s = time.monotonic() + 25.0
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("topic", "reason"), [("estop", Reason.ESTOP), ("teleop/active", Reason.TELEOP)]
)
def test_what_was_said_once_before_the_node_started_counts(
    live_policy, stranger, topic: str, reason: Reason
) -> None:
    stranger("panel").create_publisher(Bool, topic, latched()).publish(Bool(data=True))
    time.sleep(0.5)
    session = live_policy(moving=False, listen_first_s=3.5)._session
    said = []
    while said[-1:] != [reason]:
        refusal = session.start_motion()
        assert refusal is not None, f"granted after {said}"
        said.append(refusal.reason)
        time.sleep(0.02)
    until(lambda: session.core.status().finding.reason is reason)
    assert session.start_motion().reason is reason


@pytest.mark.parametrize("offer", OFFERS)
def test_a_button_is_heard_whatever_it_offers(live_policy, robot, stranger, offer: str) -> None:
    node = live_policy(resume_within_s=30.0)
    core = node._session.core
    button = stranger("button").create_publisher(Bool, "estop", OFFERS[offer])

    def pressed() -> bool:
        button.publish(Bool(data=True))
        return core.status().finding.reason is Reason.ESTOP

    until(pressed)
    assert not core.status().started
    time.sleep(0.5)
    before = robot.goals[0][-1].position
    time.sleep(0.3)
    held = {goal.position for goal in robot.goals[0][-5:]}
    assert held == {before}
    assert not core.reset_estop()


@pytest.mark.parametrize("offer", OFFERS)
def test_an_instruction_is_heard_whatever_its_publisher_offers(
    live_policy, robot, stranger, monkeypatch, offer: str
) -> None:
    monkeypatch.setattr(robot, "say", lambda _: None)
    core = live_policy(moving=False)._session.core
    words = stranger("console").create_publisher(String, "instruction", OFFERS[offer])

    def heard() -> bool:
        words.publish(String(data="draw a circle"))
        return core.status().instruction == "draw a circle"

    until(heard)
    until(lambda: core.start() is None)
