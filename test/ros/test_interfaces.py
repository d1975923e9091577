# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every message and service makes the trip to another process and back, over real DDS."""

from __future__ import annotations

import array
import subprocess
import sys
import time
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build` does it")
import evla_ros.msg  # noqa: E402
import evla_ros.srv  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
RIGS = ROOT / "test" / "rigs"
MESSAGES = sorted(path.stem for path in (ROOT / "msg").glob("*.msg"))
SERVICES = sorted(path.stem for path in (ROOT / "srv").glob("*.srv"))
LIMIT_S = 30.0
NUMBERS = {
    "double": 0.1,
    "float": 0.5,
    "uint8": 250,
    "uint32": 2**32 - 1,
    "uint64": 2**64 - 1,
    "int32": -(2**31),
    "int64": -(2**63),
}


def _fill(message, salt=1):
    """Give every field of a message a value that differs from its default."""
    for field, kind in message.get_fields_and_field_types().items():
        setattr(message, field, _value(kind, getattr(message, field), salt))
    return message


def _value(kind, default, salt):
    if kind.startswith("sequence<"):
        inner = kind.removeprefix("sequence<").removesuffix(">")
        items = [_value(inner, None, number) for number in range(1, 4)]
        return array.array(default.typecode, items) if isinstance(default, array.array) else items
    if kind.endswith("]"):  # double[3]: a fixed number of them
        inner, _, count = kind.removesuffix("]").partition("[")
        return [_value(inner, None, number) for number in range(1, int(count) + 1)]
    if kind == "boolean":
        return True
    if kind == "string":
        return f"größer als {salt} 机器人"
    if kind in NUMBERS:
        return NUMBERS[kind] / salt if kind in ("double", "float") else NUMBERS[kind] // salt
    return _fill(default, salt)


@pytest.fixture
def context(ros_domain):
    """Open an rclpy context of its own in the isolated domain."""
    own = rclpy.Context()
    rclpy.init(context=own, domain_id=ros_domain)
    yield own
    rclpy.shutdown(context=own)


@pytest.fixture
def other_process(ros_domain):
    """Start the echo process; end it afterwards."""
    started = []

    def start(kind, name):
        script = str(RIGS / "echo_process.py")
        started.append(subprocess.Popen([sys.executable, script, kind, name]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def _spin_until(node, context, done, process):
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    deadline = time.monotonic() + LIMIT_S
    while not done():
        assert process.poll() is None, f"the other process ended with {process.returncode}"
        assert time.monotonic() < deadline, f"no answer within {LIMIT_S} s"
        executor.spin_once(timeout_sec=0.05)
    executor.shutdown()


@pytest.mark.parametrize("name", MESSAGES)
def test_message_survives_the_trip_to_another_process_and_back(name, context, other_process):
    interface = getattr(evla_ros.msg, name)
    process = other_process("message", name)
    node = rclpy.create_node("asker", context=context)
    received = []
    node.create_subscription(interface, "back", received.append, 1)
    publisher = node.create_publisher(interface, "there", 1)
    sent = _fill(interface())
    assert sent != interface()

    def done():
        if not received:
            publisher.publish(sent)
        return bool(received)

    _spin_until(node, context, done, process)
    assert received[0] == sent
    node.destroy_node()


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_answered_by_another_process(name, context, other_process):
    interface = getattr(evla_ros.srv, name)
    process = other_process("service", name)
    node = rclpy.create_node("asker", context=context)
    client = node.create_client(interface, "ask")
    _spin_until(node, context, client.service_is_ready, process)
    request = _fill(interface.Request())
    futures = [client.call_async(request)]
    asked = time.monotonic()

    def answered():
        """Ask again now and then: the first answer is lost when its way back is not found yet."""
        if time.monotonic() > asked + 2.0 * len(futures):
            futures.append(client.call_async(request))
        return any(future.done() for future in futures)

    _spin_until(node, context, answered, process)
    response = next(future.result() for future in futures if future.done())
    assert response.success
    assert response.message == "answered message"
    shared_fields = set(request.get_fields_and_field_types()) & set(
        response.get_fields_and_field_types()
    )
    for field in shared_fields:
        assert getattr(response, field) == getattr(request, field)
    node.destroy_node()


@pytest.mark.parametrize(
    "path",
    sorted(path for kind in ("msg", "srv", "action") for path in ROOT.glob(f"{kind}/*.{kind}")),
    ids=lambda p: p.name,
)
def test_every_field_is_explained(path):
    """A field stands under a comment of its own group, or has one on its line."""
    explained = False
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("#"):
            explained = True
        elif not text or text == "---":
            explained = False
        elif "=" not in text:
            assert explained or "#" in text, f"{path.name}: no comment explains {text!r}"
