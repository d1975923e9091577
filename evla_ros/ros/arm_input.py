# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One arm's inputs: its pose from a topic or from TF, and the state of its gripper."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from rclpy.node import Node

from evla_ros.control.reasons import Reason
from evla_ros.control.watchdog import joint_problem
from evla_ros.data.alignment.tf_poses import TfPoses
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.gripper import gripper_value
from evla_ros.data.codecs.pose import pose_from_cdr
from evla_ros.data.messages import decode_joint_state, decode_tf_message
from evla_ros.embodiment import Gripper
from evla_ros.embodiment.streams import TF_MESSAGE, Kind, Stream, StreamTable
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose
from evla_ros.ros.callbacks import subscribe_stream
from evla_ros.ros.message_types import message_class

OnPose = Callable[[int, Pose], None]
OnOpening = Callable[[int, float], None]


class OnProblem(Protocol):
    """A function that is told why the newest message is of no use."""

    def __call__(self, problem: str, reason: Reason = Reason.INPUT_INVALID) -> object:
        """Take the problem in a few words, and what kind of fault it is."""


class PoseTopic:
    """Poses from a PoseStamped topic in the base frame."""

    def __init__(
        self, node: Node, stream: Stream, base_frame: str, on_pose: OnPose, on_problem: OnProblem
    ) -> None:
        """Subscribe.

        Args:
            node: Whose subscription it is.
            stream: The arm's pose in the table of topics.
            base_frame: The frame in which poses have to come.
            on_pose: Takes the stamp [ns] and the pose; called from the executor.
            on_problem: Told why a message is of no use.
        """
        self._node, self._base_frame = node, base_frame
        self._on_pose, self._on_problem = on_pose, on_problem
        self._subscription = subscribe_stream(node, stream, self._receive, on_problem, raw=True)

    def _receive(self, data: bytes) -> None:
        try:
            message = pose_from_cdr(data, self._base_frame)
        except BadSampleError as error:
            reason = Reason.WRONG_FRAME if error.fault == "frame" else Reason.INPUT_INVALID
            self._on_problem(str(error), reason)
            return
        self._on_pose(message.stamp_ns, message.pose)

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)


class PoseFromTf:
    """Poses from the transforms between two frames, read from /tf and /tf_static directly."""

    def __init__(
        self, node: Node, stream: Stream, static: Stream, on_pose: OnPose, on_problem: OnProblem
    ) -> None:
        """Subscribe; raises EvlaError where tf2_msgs is not installed."""
        try:
            message_class(stream.type)
        except ImportError as error:
            raise EvlaError(
                "a pose from TF needs tf2_msgs, which is not installed: run `make build` again, "
                "install it, or give the arm a pose topic"
            ) from error
        self._node, self._on_pose, self._on_problem = node, on_pose, on_problem
        self._chain = TfPoses(*stream.selector)
        self._subscriptions = [
            subscribe_stream(node, tf, take, on_problem, raw=True)
            for tf, take in ((stream, self._moving), (static, self._static))
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
        elif not self._chain.connected:
            self._on_problem(self._chain.problem(), Reason.WRONG_FRAME)

    def destroy(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)


class GripperState:
    """The measured opening of a gripper, 1 open, 0 closed."""

    def __init__(
        self,
        node: Node,
        stream: Stream,
        gripper: Gripper,
        on_opening: OnOpening,
        on_problem: OnProblem,
    ) -> None:
        """Subscribe.

        Args:
            node: Whose subscription it is.
            stream: The gripper's state in the table of topics.
            gripper: Says which values are open and closed.
            on_opening: Takes the stamp [ns], 0 where the message has none, and the opening in 0..1.
            on_problem: Told why a message is of no use.
        """
        self._node, self._stream, self._gripper = node, stream, gripper
        self._on_opening, self._on_problem = on_opening, on_problem
        self._found_s, self._joints = -math.inf, set[str]()
        self._subscription = subscribe_stream(node, stream, self._receive, on_problem, raw=True)

    def _receive(self, data: bytes) -> None:
        try:
            stamp_ns, value = gripper_value(self._stream, data)
        except BadSampleError as error:
            self._on_problem(str(error))
            return
        if value is None:
            self._complain_of_joints(data)
            return
        self._found_s = time.monotonic()
        self._on_opening(stamp_ns, self._gripper.measured_opening(value))

    def _complain_of_joints(self, data: bytes) -> None:
        """Name the joints that are there, unless other messages of the topic have ours."""
        if time.monotonic() - self._found_s <= self._gripper.max_age_s:
            return
        self._joints.update(decode_joint_state(data).names)
        lacking = [name for name in self._stream.selector if name not in self._joints]
        problem = joint_problem((lacking or self._stream.selector)[0], sorted(self._joints))
        self._on_problem(problem, Reason.WRONG_JOINT)

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)


def pose_input(
    node: Node,
    streams: StreamTable,
    arm: str,
    base_frame: str,
    on_pose: OnPose,
    on_problem: OnProblem,
) -> PoseTopic | PoseFromTf:
    """Return what hears an arm's pose, from a topic or from TF; the arguments are `PoseTopic`'s."""
    stream, static = streams.get(Kind.POSE, arm), streams.find(Kind.TF_STATIC)
    if static is not None and stream.type == TF_MESSAGE:
        return PoseFromTf(node, stream, static, on_pose, on_problem)
    return PoseTopic(node, stream, base_frame, on_pose, on_problem)
