# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Send real messages between two processes and print what arrived, as one JSON object.

`python -m evla_ros.doctor.ros_self_test` listens, and starts itself again as the publisher.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import rclpy
from std_msgs.msg import Int64

MESSAGES = 20
PERIOD_S = 0.02
DISCOVERY_S = 10.0


def main(arguments: list[str]) -> int:
    """Listen, or publish when a topic is given.

    Returns:
        The exit code: 0 when at least one message arrived.
    """
    if arguments:
        return _publish(arguments[0])
    topic = f"evla_doctor_{os.getpid()}"
    publisher = subprocess.Popen([sys.executable, "-m", __spec__.name, topic])
    try:
        latencies_ms = _listen(topic)
    finally:
        publisher.kill()
        publisher.wait()
    received = len(latencies_ms)
    p50 = sorted(latencies_ms)[received // 2] if received else None
    print(json.dumps({"sent": MESSAGES, "received": received, "p50_ms": p50}))
    return 0 if received else 1


def _listen(topic: str) -> list[float]:
    rclpy.init()
    node = rclpy.create_node("evla_doctor_listener")
    latencies_ms: list[float] = []
    node.create_subscription(
        Int64, topic, lambda msg: latencies_ms.append((time.monotonic_ns() - msg.data) / 1e6), 10
    )
    deadline = time.monotonic() + DISCOVERY_S
    while len(latencies_ms) < MESSAGES and time.monotonic() < deadline:
        rclpy.spin_once(node, timeout_sec=0.1)
    node.destroy_node()
    rclpy.shutdown()
    return latencies_ms


def _publish(topic: str) -> int:
    rclpy.init()
    node = rclpy.create_node("evla_doctor_talker")
    publisher = node.create_publisher(Int64, topic, 10)
    deadline = time.monotonic() + DISCOVERY_S
    while publisher.get_subscription_count() == 0 and time.monotonic() < deadline:
        time.sleep(PERIOD_S)
    for _ in range(MESSAGES):
        time.sleep(PERIOD_S)
        publisher.publish(Int64(data=time.monotonic_ns()))
    time.sleep(DISCOVERY_S)  # the listener ends this process once it has what it wants
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
