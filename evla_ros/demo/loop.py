# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drive the smallest robot to a few points over real ROS 2 and measure the loop."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import numpy.typing as npt
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node

from evla_ros.errors import EvlaError

POINTS_M = ((0.3, 0.0, 0.2), (0.3, 0.2, 0.1), (0.0, 0.0, 0.3))
REACHED_M = 0.005
LIMIT_S = 20.0
Point = npt.NDArray[np.float64]


class Loop:
    """Where the robot is, and goals to it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.position_m: Point | None = None
        self.ages_ms: list[float] = []
        self.publisher = node.create_publisher(PoseStamped, "target_pose", 1)
        node.create_subscription(PoseStamped, "current_pose", self._receive, 1)

    def go_to(self, target_m: Point) -> float:
        """Publish the goal until the robot is there [s]; raises when it takes too long."""
        start = time.monotonic()
        while self.position_m is None or np.linalg.norm(self.position_m - target_m) > REACHED_M:
            if time.monotonic() - start > LIMIT_S:
                raise EvlaError(f"the robot did not reach {target_m} m in {LIMIT_S:.0f} s")
            rclpy.spin_once(self.node, timeout_sec=0.05)
            self._publish(target_m)
        return time.monotonic() - start

    def _receive(self, message: PoseStamped) -> None:
        point, stamp = message.pose.position, message.header.stamp
        self.position_m = np.array([point.x, point.y, point.z])
        now_ns = self.node.get_clock().now().nanoseconds
        self.ages_ms.append((now_ns - stamp.sec * 10**9 - stamp.nanosec) / 1e6)

    def _publish(self, target_m: Point) -> None:
        message = PoseStamped()
        message.header.stamp = self.node.get_clock().now().to_msg()
        message.header.frame_id = "base_link"
        point = message.pose.position
        point.x, point.y, point.z = (float(value) for value in target_m)
        self.publisher.publish(message)


def run() -> None:
    """Start the robot's process, visit every point, print a line each and the poses' delay."""
    robot = subprocess.Popen([sys.executable, "-m", "evla_ros.demo.robot"])
    try:
        rclpy.init()
        loop = Loop(rclpy.create_node("demo"))
        for target in POINTS_M:
            seconds = loop.go_to(np.array(target))
            print(f"reached {target} m in {seconds:.1f} s", flush=True)
        p50, p95 = np.percentile(loop.ages_ms, [50, 95])
        print(f"{len(loop.ages_ms)} poses received, delay p50 {p50:.2f} ms, p95 {p95:.2f} ms")
        loop.node.destroy_node()
        rclpy.shutdown()
    finally:
        robot.kill()
        robot.wait()
