# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A control topic is heard whatever its publisher offers, and who cannot be heard is named."""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Bool, String

from evla_ros.embodiment.streams import STRING
from evla_ros.ros.control_topics import ControlTopic
from evla_ros.ros.lean_executor import LeanExecutor

pytestmark = pytest.mark.timeout(60)
RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT
LATCHED, VOLATILE = DurabilityPolicy.TRANSIENT_LOCAL, DurabilityPolicy.VOLATILE
OFFERS = [
    (RELIABLE, LATCHED, 3),
    (RELIABLE, VOLATILE, 2),
    (BEST_EFFORT, LATCHED, 1),
    (BEST_EFFORT, VOLATILE, 1),
]


def offer(reliability, durability) -> QoSProfile:
    return QoSProfile(depth=10, reliability=reliability, durability=durability)


def until(condition, what: str) -> None:
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.01)


@pytest.fixture
def panel(stranger):
    """Return a node that publishes."""
    return stranger("panel", namespace="/cell")


@pytest.fixture
def listener(context):
    """Return a node that hears, and is served."""
    node = rclpy.create_node("listener", context=context, namespace="/cell")
    executor = LeanExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield node
    executor.shutdown()
    thread.join(5.0)
    node.destroy_node()


@pytest.mark.parametrize(("reliability", "durability", "copies"), OFFERS)
def test_every_offer_is_heard_and_the_newest_message_comes_last(
    panel, listener, reliability, durability, copies
) -> None:
    heard: list[str] = []
    topic = ControlTopic(listener, STRING, "word", lambda message: heard.append(message.data))
    publisher = panel.create_publisher(String, "word", offer(reliability, durability))
    newest = ""
    for number in range(2000):  # until all that match have found each other
        newest = f"word {number}"
        publisher.publish(String(data=newest))
        time.sleep(0.01)
        if heard.count(f"word {max(0, number - 20)}") == copies:
            break
    until(lambda: heard.count(newest) == copies, f"{newest} of {heard[-5:]}")
    assert heard[-1] == newest
    assert topic.unheard() == []
    topic.destroy()
    until(lambda: publisher.get_subscription_count() == 0, "end of the subscriptions")


def test_what_was_latched_before_the_subscription_is_heard(panel, listener) -> None:
    publisher = panel.create_publisher(String, "word", offer(RELIABLE, LATCHED))
    publisher.publish(String(data="before"))
    time.sleep(0.3)
    heard: list[str] = []
    ControlTopic(listener, STRING, "word", lambda message: heard.append(message.data))
    until(lambda: set(heard) == {"before"}, "latched value")


def test_a_publisher_of_another_type_is_named(panel, listener) -> None:
    topic = ControlTopic(listener, STRING, "word", lambda _: None)
    wrong = panel.create_publisher(Bool, "word", 1)
    named = ("/cell/word", "/cell/panel", "type std_msgs/msg/Bool, not std_msgs/msg/String")
    until(lambda: topic.unheard() == [named], "the other type")
    panel.destroy_publisher(wrong)
    until(lambda: not topic.unheard(), "end of the other type")
