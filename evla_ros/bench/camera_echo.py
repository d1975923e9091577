# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bare node that answers the images of an instant with a goal: the floor of camera-to-goal.

It takes the same images by the same executor as the policy node, but reads only their stamps.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict

import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import ExternalShutdownException

from evla_ros.data.messages import header_stamp_ns
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.geometry import Pose
from evla_ros.ros.lean_executor import LeanExecutor
from evla_ros.ros.message_types import message_class
from evla_ros.ros.pose_conversion import pose_stamped
from evla_ros.ros.qos import stream_profile


def main() -> int:
    """Echo until the process is ended; a goal carries the stamp of its images."""
    rclpy.init()
    body = load_embodiment("tabletop_arm")
    node = rclpy.create_node("camera_echo")
    streams = streams_of(body)
    goal = streams.of_kind(Kind.GOAL)[0]
    publisher = node.create_publisher(PoseStamped, goal.topic, stream_profile(goal))
    arrived: dict[int, set[str]] = defaultdict(set)

    def take(name: str, data: bytes) -> None:
        stamp_ns = header_stamp_ns(data)
        arrived[stamp_ns].add(name)
        if len(arrived[stamp_ns]) == len(body.cameras):
            arrived.clear()
            publisher.publish(pose_stamped(Pose.identity(), body.base_frame, stamp_ns))

    for stream in streams.of_kind(Kind.CAMERA):
        node.create_subscription(
            message_class(stream.type),
            stream.topic,
            lambda data, name=stream.key.name: take(name, data),
            stream_profile(stream),
            raw=True,
        )
    executor = LeanExecutor()
    executor.add_node(node)
    with contextlib.suppress(ExternalShutdownException, KeyboardInterrupt):
        executor.spin()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
