# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What leaves the node towards the robot: a pose goal and a gripper command per arm."""

from __future__ import annotations

from collections.abc import Sequence

from geometry_msgs.msg import PoseStamped
from rclpy.duration import Duration
from rclpy.node import Node
from std_msgs.msg import Float64, Float64MultiArray

from evla_ros.control.controller import ArmTick
from evla_ros.embodiment import Arm, Embodiment
from evla_ros.ros.pose_conversion import fill_pose
from evla_ros.ros.qos import command

_REPEAT_NS = 1_000_000_000


class _ArmOutput:
    """Publishers of one arm; messages are built once."""

    def __init__(self, node: Node, arm: Arm, frame: str, prefix: str) -> None:
        self._goal = node.create_publisher(PoseStamped, prefix + arm.goal.topic, command())
        self._message = PoseStamped()
        self._message.header.frame_id = frame
        self._gripper = arm.gripper
        self._command = None
        self._sent: tuple[float, int] | None = None
        if arm.gripper is not None:
            self._array = arm.gripper.command_type == "float64_array"
            kind = Float64MultiArray if self._array else Float64
            self._command = node.create_publisher(kind, prefix + arm.gripper.command, command())

    def publish(self, tick: ArmTick, now_ns: int) -> None:
        """Send the goal, and the gripper command when it changed or a second has passed."""
        if tick.goal is not None:
            fill_pose(self._message, tick.goal, now_ns)
            self._goal.publish(self._message)
        if tick.opening is None:
            self._sent = None
            return
        if self._command is None or self._gripper is None:
            return
        if self._sent and self._sent[0] == tick.opening and now_ns - self._sent[1] < _REPEAT_NS:
            return
        self._sent = (tick.opening, now_ns)
        value = float(self._gripper.device_value(tick.opening))
        self._command.publish(
            Float64MultiArray(data=[value]) if self._array else Float64(data=value)
        )

    def flush(self, timeout_s: float) -> None:
        """Wait until every reliable reader has the last goal."""
        self._goal.wait_for_all_acked(Duration(seconds=timeout_s))

    def destroy(self, node: Node) -> None:
        node.destroy_publisher(self._goal)
        if self._command is not None:
            node.destroy_publisher(self._command)


class CommandOutput:
    """All arms; in shadow mode everything goes to ~/shadow/... instead."""

    def __init__(self, node: Node, embodiment: Embodiment, *, shadow: bool) -> None:
        """Create the publishers."""
        self._node = node
        prefix = "~/shadow/" if shadow else ""
        frame = embodiment.base_frame
        self._arms = [_ArmOutput(node, arm, frame, prefix) for arm in embodiment.arms]

    def publish(self, arms: Sequence[ArmTick], now_ns: int) -> None:
        """Send one tick."""
        for output, tick in zip(self._arms, arms, strict=True):
            output.publish(tick, now_ns)

    def flush(self, timeout_s: float = 0.2) -> None:
        """Wait until the last goals have arrived."""
        for output in self._arms:
            output.flush(timeout_s)

    def destroy(self) -> None:
        """Destroy the publishers."""
        for output in self._arms:
            output.destroy(self._node)
        self._arms = []
