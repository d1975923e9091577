# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A process that publishes an invented robot in real time: raw cameras and the small topics."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from typing import Any, TextIO

import numpy as np
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy

from evla_ros.data.bags import encode
from evla_ros.embodiment import Embodiment, load_embodiment
from evla_ros.geometry import Pose
from evla_ros.ros.qos import latched
from evla_ros.ros.recorder_topics import message_class

SECOND = 1_000_000_000
SMALL_HZ = 50.0
Streams = list[tuple[Any, bytearray]]


def main() -> int:
    """Publish until stdin is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hz", type=float, default=30.0)
    parser.add_argument("--embodiment", default="tabletop_arm")
    options = parser.parse_args()
    rclpy.init()
    node = rclpy.create_node("publisher")
    body = load_embodiment(options.embodiment)
    cameras, small = _messages(node, body)
    words = node.create_publisher(message_class("std_msgs/msg/String"), "instruction", latched())
    words.publish(encode.encode_string("measure"))
    _publish(cameras, small, options.hz, _closed(sys.stdin))
    time.sleep(1.0)
    node.destroy_node()
    rclpy.shutdown()
    return 0


def _closed(stream: TextIO) -> threading.Event:
    """Return an event that is set when the other side closes the stream."""
    closed = threading.Event()

    def wait() -> None:
        stream.read()
        closed.set()

    threading.Thread(target=wait, daemon=True).start()
    return closed


def _publish(cameras: Streams, small: Streams, hz: float, over: threading.Event) -> None:
    """Send cameras at `hz` and the rest at SMALL_HZ on an absolute schedule."""
    start = time.monotonic()
    next_camera = next_small = 0.0
    while not over.is_set():
        now = time.monotonic() - start
        if now >= next_small:
            next_small += 1.0 / SMALL_HZ
            for publisher, data in small:
                publisher.publish(_stamped(data) if len(data) > 40 else bytes(data))
        if now >= next_camera:
            next_camera += 1.0 / hz
            for publisher, data in cameras:
                publisher.publish(_stamped(data))
        wait = min(next_camera, next_small) - (time.monotonic() - start)
        if wait > 0:
            time.sleep(wait)


def _messages(node: Any, body: Embodiment) -> tuple[Streams, Streams]:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (480, 640, 3), dtype=np.uint8)
    pose = encode.encode_pose(1, body.base_frame, Pose.identity())
    cameras: Streams = []
    for camera in body.cameras.values():
        data = bytearray(encode.encode_image(1, "camera_optical", pixels))
        cameras.append(_stream(node, camera.topic, "sensor_msgs/msg/Image", data))
    small: Streams = []
    for arm in body.arms:
        for topic in (str(arm.pose.topic), arm.goal.topic):
            small.append(_stream(node, topic, "geometry_msgs/msg/PoseStamped", bytearray(pose)))
        if arm.gripper is not None:
            number = bytearray(encode.encode_float64(0.04))
            for topic in (arm.gripper.state, arm.gripper.command):
                small.append(_stream(node, topic, "std_msgs/msg/Float64", number))
    joints = encode.encode_joint_state(1, [f"joint{i}" for i in range(7)], [0.0] * 7)
    topic = body.joint_states
    small.append(_stream(node, topic, "sensor_msgs/msg/JointState", bytearray(joints)))
    return cameras, small


def _stream(node: Any, topic: str, kind: str, data: bytearray) -> tuple[Any, bytearray]:
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
    return node.create_publisher(message_class(kind), topic, qos), data


def _stamped(data: bytearray) -> bytes:
    seconds, rest = divmod(time.time_ns(), SECOND)
    data[4:8] = seconds.to_bytes(4, "little")
    data[8:12] = rest.to_bytes(4, "little")
    return bytes(data)


if __name__ == "__main__":
    raise SystemExit(main())
