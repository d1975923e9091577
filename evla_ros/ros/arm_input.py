# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One arm's inputs: its pose from a topic or from TF, and the state of its gripper."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64

from evla_ros.data.alignment.tf_poses import TfPoses
from evla_ros.data.messages import (
    decode_float64,
    decode_joint_state,
    decode_pose_stamped,
    decode_tf_message,
)
from evla_ros.embodiment import Arm, Gripper
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose
from evla_ros.ros.qos import every_sample, latched

OnPose = Callable[[int, Pose], None]
OnOpening = Callable[[int, float], None]
OnProblem = Callable[[str], None]


class PoseTopic:
    """Poses from a PoseStamped topic in the base frame."""

    def __init__(
        self, node: Node, topic: str, base_frame: str, on_pose: OnPose, on_problem: OnProblem
    ) -> None:
        """Subscribe; `on_pose(stamp_ns, pose)` is called from the executor."""
        self._node, self._base_frame = node, base_frame
        self._on_pose, self._on_problem = on_pose, on_problem
        self._subscription = node.create_subscription(
            PoseStamped, topic, self._receive, every_sample(), raw=True
        )

    def _receive(self, data: bytes) -> None:
        try:
            message = decode_pose_stamped(data)
            frame = message.header.frame_id.lstrip("/")
            if frame not in ("", self._base_frame):
                self._on_problem(f"pose in frame {frame!r}, expected {self._base_frame!r}")
                return
            pose = Pose(message.position_m, message.quaternion_xyzw)
        except EvlaError as error:
            self._on_problem(str(error))
            return
        self._on_pose(message.header.stamp_ns, pose)

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)


class PoseFromTf:
    """Poses from the transforms between two frames, read from /tf and /tf_static directly."""

    def __init__(
        self, node: Node, frames: tuple[str, str], on_pose: OnPose, on_problem: OnProblem
    ) -> None:
        """Subscribe; raises EvlaError where tf2_msgs is not installed."""
        try:
            from tf2_msgs.msg import TFMessage
        except ImportError as error:
            raise EvlaError(
                "a pose from TF needs tf2_msgs, which is not installed; "
                "install it or give the arm a pose topic"
            ) from error
        self._node, self._on_pose, self._on_problem = node, on_pose, on_problem
        self._chain = TfPoses(*frames)
        self._subscriptions = [
            node.create_subscription(TFMessage, "/tf", self._moving, every_sample(100), raw=True),
            node.create_subscription(TFMessage, "/tf_static", self._static, latched(100), raw=True),
        ]

    def _moving(self, data: bytes) -> None:
        self._push(data, static=False)

    def _static(self, data: bytes) -> None:
        self._push(data, static=True)

    def _push(self, data: bytes, *, static: bool) -> None:
        try:
            found = self._chain.push(decode_tf_message(data), static=static)
        except EvlaError as error:
            self._on_problem(str(error))
            return
        if found is not None:
            self._on_pose(*found)

    def destroy(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)


class GripperState:
    """The measured opening of a gripper, 1 open, 0 closed."""

    def __init__(
        self, node: Node, gripper: Gripper, on_opening: OnOpening, on_problem: OnProblem
    ) -> None:
        """Subscribe; `on_opening(stamp_ns, opening)`, stamp 0 where the message has none."""
        self._node, self._gripper = node, gripper
        self._on_opening, self._on_problem = on_opening, on_problem
        joint = gripper.state_type == "joint_state"
        self._subscription = node.create_subscription(
            JointState if joint else Float64,
            gripper.state,
            self._receive_joint if joint else self._receive_number,
            every_sample(),
            raw=True,
        )

    def _receive_number(self, data: bytes) -> None:
        try:
            self._note(0, decode_float64(data))
        except EvlaError as error:
            self._on_problem(str(error))

    def _receive_joint(self, data: bytes) -> None:
        try:
            state = decode_joint_state(data)
        except EvlaError as error:
            self._on_problem(str(error))
            return
        name = self._gripper.state_joint
        if name in state.names and state.names.index(name) < len(state.position):
            self._note(state.header.stamp_ns, float(state.position[state.names.index(name)]))

    def _note(self, stamp_ns: int, value: float) -> None:
        if not math.isfinite(value):
            self._on_problem(f"gripper state {value} is not finite")
            return
        self._on_opening(stamp_ns, self._gripper.opening(value))

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)


def pose_input(
    node: Node, arm: Arm, base_frame: str, on_pose: OnPose, on_problem: OnProblem
) -> Any:
    """Return the pose input that the embodiment names."""
    if arm.pose.topic is not None:
        return PoseTopic(node, arm.pose.topic, base_frame, on_pose, on_problem)
    frames = arm.pose.tf or ["", ""]
    return PoseFromTf(node, (frames[0], frames[1]), on_pose, on_problem)
