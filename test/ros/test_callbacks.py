# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Callbacks that raise: said in one sentence, told to the node, and the node goes on."""

from __future__ import annotations

import ast
import threading
import time

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from std_msgs.msg import Float64, String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from evla_ros.errors import EvlaError  # noqa: E402
from evla_ros.ros import callbacks  # noqa: E402
from evla_ros.ros.guarded_executor import GuardedExecutor, taken  # noqa: E402
from evla_ros.ros.lean_executor import LeanExecutor  # noqa: E402
from evla_ros.ros.qos import reliable  # noqa: E402

pytestmark = pytest.mark.timeout(60)


def until(condition) -> None:
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.005)


@pytest.fixture(params=[GuardedExecutor, LeanExecutor])
def node(context, request):
    """Return a node that spins, on rclpy's executor and on ours."""
    node = rclpy.create_node("fragile", context=context)
    executor = request.param(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield node
    assert thread.is_alive()
    executor.shutdown()
    thread.join(5.0)
    node.destroy_node()


@pytest.fixture
def other(context):
    node = rclpy.create_node("other", context=context)
    yield node
    node.destroy_node()


def test_a_subscription_that_raises_names_its_topic_and_goes_on(node, other) -> None:
    told, heard = [], []

    def take(message: Float64) -> None:
        heard.append(message.data)
        if message.data < 0:
            raise ValueError("no square root")

    callbacks.subscribe(node, Float64, "number", take, reliable(), told.append)
    publisher = other.create_publisher(Float64, "number", reliable())
    until(publisher.get_subscription_count)
    for number in (-1.0, -2.0, 3.0):
        publisher.publish(Float64(data=number))
    until(lambda: len(heard) == 3)
    until(lambda: len(told) == 2)
    assert told[0].startswith("topic number: ValueError: no square root [test_callbacks.py:")


def test_a_raw_subscription_gets_bytes_and_what_the_middleware_tells(node, other) -> None:
    heard = []

    def take(data: bytes, info: dict) -> None:
        heard.append((len(data), "source_timestamp" in info))

    callbacks.subscribe(node, Float64, "number", take, reliable(), raw=True)
    publisher = other.create_publisher(Float64, "number", reliable())
    until(publisher.get_subscription_count)
    publisher.publish(Float64(data=1.0))
    until(lambda: heard)
    assert heard == [(12, True)]


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        (Float64, bytes.fromhex("ffff0000") + bytes(8), "12 bytes beginning with ff ff 00 00 are"),
        (Float64, b"", "0 bytes beginning with nothing are no Float64 that can be read"),
        (String, bytes.fromhex("0001000004000000") + b"h\xe9o\0", "UTF-8"),
    ],
)
def test_bytes_that_are_no_message_are_said_and_the_next_is_heard(
    node, other, kind, data, said
) -> None:
    told, heard = [], []
    callbacks.subscribe(node, kind, "it", heard.append, reliable(), told.append)
    publisher = other.create_publisher(kind, "it", reliable())
    until(publisher.get_subscription_count)
    publisher.publish(data)
    publisher.publish(kind())
    until(lambda: heard)
    assert heard == [kind()]
    assert len(told) == 1
    assert told[0].startswith("topic it: ")
    assert said in told[0]


def test_a_remedy_that_fails_too_is_said_and_the_node_goes_on(node, other) -> None:
    heard = []

    def fail(_: object) -> None:
        heard.append(1)
        raise ValueError("no")

    callbacks.subscribe(node, Float64, "number", fail, reliable(), fail)
    publisher = other.create_publisher(Float64, "number", reliable())
    until(publisher.get_subscription_count)
    for _ in range(2):
        publisher.publish(Float64(data=1.0))
    until(lambda: len(heard) == 4)


def test_a_request_that_cannot_be_taken_is_dropped(context, capfd) -> None:
    """Humble's rclpy raises while it takes a text that is not UTF-8; the executor goes on."""
    from types import SimpleNamespace

    def take(_: object) -> None:
        raise UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "invalid start byte")

    assert taken(take, SimpleNamespace(srv_name="set_instruction")) is None
    assert (
        "set_instruction: cannot be read and is dropped: UnicodeDecodeError"
        in capfd.readouterr().err
    )


def ask(node, other, name: str) -> Trigger.Response:
    client = other.create_client(Trigger, name)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(other)
    assert client.wait_for_service(10.0)
    future = client.call_async(Trigger.Request())
    executor.spin_until_future_complete(future, 10.0)
    executor.remove_node(other)
    return future.result()


def test_a_service_answers_whatever_happens(node, other) -> None:
    told = []

    def refuse(_: Trigger.Request) -> str:
        raise EvlaError("not now")

    def fail(_: Trigger.Request) -> str:
        raise KeyError("lost")

    for name, action in {"fine": lambda _: "done", "refused": refuse, "broken": fail}.items():
        callbacks.serve(node, Trigger, name, action, told.append)
    fine, refused, broken = (ask(node, other, name) for name in ("fine", "refused", "broken"))
    assert (fine.success, fine.message) == (True, "done")
    assert (refused.success, refused.message) == (False, "not now")
    assert not broken.success
    assert "service broken: KeyError: 'lost'" in broken.message
    assert told == [broken.message]


def test_a_timer_goes_on(node) -> None:
    told = []
    callbacks.repeat(node, 0.01, lambda: 1 / 0, told.append)
    until(lambda: len(told) >= 3)
    assert "ZeroDivisionError" in told[0]


def test_our_nodes_make_their_callbacks_here_alone(root) -> None:
    """Who makes one past this file makes one that can end the node."""
    made = {"create_subscription", "create_service", "create_timer"}
    folders = ("policy", "recorder", "teleop", "simulator")
    files = [path for name in folders for path in (root / "evla_ros/ros" / name).glob("*.py")]
    files += [root / "evla_ros/ros" / name for name in ("arm_input.py", "lifecycle.py")]
    found = [
        f"{path.name}:{node.lineno} {node.attr}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in made
    ]
    assert found == []
