# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A point that follows `target_pose` at a limited speed and says where it is: the smallest robot.

`python -m evla_ros.demo.robot`
"""

from __future__ import annotations

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped

RATE_HZ = 50.0
SPEED_M_S = 0.4


def main() -> None:
    """Publish `current_pose` and move towards the newest `target_pose` until interrupted."""
    rclpy.init()
    node = rclpy.create_node("robot")
    publisher = node.create_publisher(PoseStamped, "current_pose", 1)
    position_m = np.zeros(3)
    target_m = np.zeros(3)

    def follow(message: PoseStamped) -> None:
        point = message.pose.position
        target_m[:] = point.x, point.y, point.z

    def tick() -> None:
        step_m = target_m - position_m
        length_m = float(np.linalg.norm(step_m))
        position_m[:] += step_m * min(1.0, SPEED_M_S / RATE_HZ / max(length_m, 1e-9))
        message = PoseStamped()
        message.header.stamp = node.get_clock().now().to_msg()
        message.header.frame_id = "base_link"
        point = message.pose.position
        point.x, point.y, point.z = (float(value) for value in position_m)
        publisher.publish(message)

    node.create_subscription(PoseStamped, "target_pose", follow, 1)
    node.create_timer(1.0 / RATE_HZ, tick)
    rclpy.spin(node)


if __name__ == "__main__":
    main()
