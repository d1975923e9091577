# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A process that publishes an invented robot in real time: raw cameras and the small topics."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import Annotated, Any, TextIO

import numpy as np
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy

from evla_ros.cli.parser import parse
from evla_ros.data.bags import encode
from evla_ros.data.codecs.camera import picture_to_cdr
from evla_ros.data.codecs.gripper import gripper_to_cdr
from evla_ros.embodiment import Embodiment, load_embodiment
from evla_ros.embodiment.streams import STRING, Kind, Stream, streams_of
from evla_ros.geometry import Pose
from evla_ros.options import Option
from evla_ros.ros.message_types import message_class
from evla_ros.ros.qos import latched
from evla_ros.units import SECOND_NS

SMALL_HZ = 50.0
Streams = list[tuple[Any, bytearray]]


@dataclass(frozen=True)
class Options:
    """Which robot publishes, and how fast its cameras are."""

    hz: Annotated[float, Option("of the cameras", above=0)] = 30.0
    embodiment: Annotated[str, Option("file or name")] = "tabletop_arm"


def main() -> int:
    """Publish until stdin is closed."""
    options = parse(Options, sys.argv[1:], "python -m benchmarks.camera_publisher", __doc__ or "")
    rclpy.init()
    node = rclpy.create_node("publisher")
    body = load_embodiment(options.embodiment)
    cameras, small = _messages(node, body)
    instruction = node.create_publisher(message_class(STRING), "instruction", latched())
    instruction.publish(encode.encode_string("measure"))
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
    joints = encode.encode_joint_state(1, [f"joint{i}" for i in range(7)], [0.0] * 7)
    cameras: Streams = []
    small: Streams = []
    for stream in streams_of(body):
        kind = stream.key.kind
        if kind is Kind.CAMERA:
            picture = picture_to_cdr(stream.type, 1, "camera_optical", pixels)
            cameras.append(_stream(node, stream, picture))
        elif kind in (Kind.POSE, Kind.GOAL):
            small.append(_stream(node, stream, pose))
        elif kind in (Kind.GRIPPER, Kind.GRIPPER_COMMAND):
            small.append(_stream(node, stream, gripper_to_cdr(stream, 1, 0.04)))
        elif kind is Kind.JOINTS:
            small.append(_stream(node, stream, joints))
    return cameras, small


def _stream(node: Any, stream: Stream, data: bytes) -> tuple[Any, bytearray]:
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
    return node.create_publisher(message_class(stream.type), stream.topic, qos), bytearray(data)


def _stamped(data: bytearray) -> bytes:
    seconds, rest = divmod(time.time_ns(), SECOND_NS)
    data[4:8] = seconds.to_bytes(4, "little")
    data[8:12] = rest.to_bytes(4, "little")
    return bytes(data)


if __name__ == "__main__":
    raise SystemExit(main())
