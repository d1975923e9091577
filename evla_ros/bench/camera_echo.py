# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The floor of camera-to-goal: a bare node that answers the images of an instant with a goal.

It takes the same images by the same executor, looks at nothing but their stamps, and publishes.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict

import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import Image

from evla_ros.data.messages import header_stamp_ns
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import Pose
from evla_ros.ros.lean_executor import LeanExecutor
from evla_ros.ros.pose_conversion import pose_stamped
from evla_ros.ros.qos import command, newest_only


def main() -> int:
    """Echo until the process is ended; a goal carries the stamp of its images."""
    rclpy.init()
    body = load_embodiment("tabletop_arm")
    node = rclpy.create_node("camera_echo")
    publisher = node.create_publisher(PoseStamped, body.arms[0].goal.topic, command())
    arrived: dict[int, set[str]] = defaultdict(set)

    def take(name: str, data: bytes) -> None:
        stamp_ns = header_stamp_ns(data)
        arrived[stamp_ns].add(name)
        if len(arrived[stamp_ns]) == len(body.cameras):
            arrived.clear()
            publisher.publish(pose_stamped(Pose.identity(), body.base_frame, stamp_ns))

    for name, camera in body.cameras.items():
        node.create_subscription(
            Image, camera.topic, lambda data, name=name: take(name, data), newest_only(), raw=True
        )
    executor = LeanExecutor()
    executor.add_node(node)
    with contextlib.suppress(ExternalShutdownException, KeyboardInterrupt):
        executor.spin()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
