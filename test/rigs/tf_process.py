# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that says where its tool is by TF only: a moving flange, a tool fixed to it."""

from __future__ import annotations

import sys
import time

import rclpy
from geometry_msgs.msg import PoseStamped, TransformStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage

TOOL_M = 0.1
BASE_M = (1.0, -0.5, 0.8)  # of base_link in another base


def transform(parent: str, child: str, xyz: tuple[float, float, float]) -> TransformStamped:
    message = TransformStamped()
    message.header.frame_id, message.child_frame_id = parent, child
    t = message.transform.translation
    t.x, t.y, t.z = xyz
    message.transform.rotation.w = 1.0
    return message


def main(base: str) -> None:
    """With a base of another name, `base_link` and the flange are siblings in its frame."""
    rclpy.init()
    node = rclpy.create_node("tf_robot")
    flange = [0.35, 0.0, 0.3]
    tool = transform("flange", "tool", (TOOL_M, 0.0, 0.0))
    fixed = [tool] if base == "base_link" else [tool, transform(base, "base_link", BASE_M)]
    offset = (0.0, 0.0, 0.0) if base == "base_link" else BASE_M
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    node.create_publisher(TFMessage, "/tf_static", latched).publish(TFMessage(transforms=fixed))
    moving = node.create_publisher(TFMessage, "/tf", 10)

    def follow(goal: PoseStamped) -> None:
        p = goal.pose.position
        for axis, wanted in enumerate((p.x - TOOL_M, p.y, p.z)):
            flange[axis] += 0.3 * (wanted - flange[axis])

    node.create_subscription(PoseStamped, "arm/target_pose", follow, 1)

    def tell() -> None:
        x, y, z = (a + b for a, b in zip(flange, offset, strict=True))
        message = transform(base, "flange", (x, y, z))
        message.header.stamp = node.get_clock().now().to_msg()
        moving.publish(TFMessage(transforms=[message]))

    node.create_timer(0.01, tell)
    print("ready", time.monotonic(), flush=True)
    rclpy.spin(node)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "base_link")
