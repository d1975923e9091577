# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All subscriptions of the policy node; each hands what it gets to the control core."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Bool, String

from evla_ros.control.reasons import Finding, Reason
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.joints import JointPositions
from evla_ros.embodiment.streams import BOOL, Kind, gripper_action, streams_of
from evla_ros.ros.arm_input import GripperState, pose_input
from evla_ros.ros.base_input import AxisState, OdometryTopic
from evla_ros.ros.callbacks import subscribe_stream
from evla_ros.ros.control_topics import ControlTopic
from evla_ros.ros.gripper_action import action_class
from evla_ros.ros.policy.camera_input import CameraInput
from evla_ros.ros.policy.shared_core import SharedCore


class PolicySubscriptions:
    """Lives from configure to cleanup."""

    def __init__(
        self, node: Node, core: SharedCore, *, use_header: bool, teleop_topic: str
    ) -> None:
        """Subscribe to everything that the embodiment names, and to teleoperation.

        Args:
            node: The policy node.
            core: Takes what arrives.
            use_header: An image's time is the stamp in its header; otherwise its arrival.
            teleop_topic: Says whether a person has the authority; empty: nobody ever has.
        """
        self._node, self._core = node, core
        self._streams = streams_of(core.embodiment)
        self._arms: list[Any] = []
        for index in range(len(core.embodiment.arms)):
            self._arms += self._arm(index)
        self._arms += self._moving_parts()
        # Of what is ready at once, the executor takes the oldest subscription's first: images last.
        self._cameras = [
            CameraInput(
                node,
                stream,
                core.observe_image,
                core.refuser(f"camera {stream.key.name}"),
                use_header=use_header,
            )
            for stream in self._streams.of_kind(Kind.CAMERA)
        ]
        instruction, estop = self._streams.get(Kind.INSTRUCTION), self._streams.get(Kind.ESTOP)
        self.controls = [
            self._hear(instruction.type, instruction.topic, self._on_instruction),
            self._hear(estop.type, estop.topic, self._on_estop),
        ]
        if teleop_topic:
            self.controls.append(self._hear(BOOL, teleop_topic, self._on_teleop))
        self._joints = None
        if "joint_positions" in core.embodiment.proprio:
            names = {name for arm in core.embodiment.arms for name in arm.joints}
            self._positions = JointPositions(names)
            joints, taker = self._streams.get(Kind.JOINTS), self._on_joints
            self._joints = subscribe_stream(node, joints, taker, self._on_failure, raw=True)

    def camera_topics(self) -> dict[str, str]:
        """Return the resolved topic of every camera."""
        return {camera.name: camera.topic for camera in self._cameras}

    def destroy(self) -> None:
        """Unsubscribe."""
        for part in [*self._cameras, *self._arms, *self.controls]:
            part.destroy()
        if self._joints is not None:
            self._node.destroy_subscription(self._joints)

    def _arm(self, index: int) -> list[Any]:
        node, core = self._node, self._core
        arm, frame = core.embodiment.arms[index], core.embodiment.base_frame
        on_pose, refuse = partial(core.observe_pose, index), core.refuser(f"pose {arm.name}")
        parts: list[Any] = [pose_input(node, self._streams, arm.name, frame, on_pose, refuse)]
        if arm.gripper is not None:
            stream = self._streams.get(Kind.GRIPPER, arm.name)
            on_opening = partial(core.observe_opening, index)
            refuse = core.refuser(f"gripper {arm.name}")
            kind = gripper_action(arm.gripper)
            if arm.gripper.reports_by_action and kind is not None:
                action_class(kind)  # one sentence where it is not installed
                refuse = self._complain_of_gripper
            parts.append(GripperState(node, stream, arm.gripper, on_opening, refuse))
        return parts

    def _complain_of_gripper(self, problem: str, reason: Reason = Reason.INPUT_INVALID) -> bool:
        """Say that a report is of no use: the gripper counts as it was before."""
        sentence = f"{reason.sentence} (report of a gripper's action: {problem})"
        self._node.get_logger().warning(sentence, throttle_duration_sec=5.0)
        return True

    def _moving_parts(self) -> list[Any]:
        node, core, robot = self._node, self._core, self._core.embodiment
        parts: list[Any] = []
        if robot.base is not None:
            stream, refuse = self._streams.get(Kind.ODOMETRY), core.refuser("odometry base")
            parts.append(OdometryTopic(node, stream, robot.base, core.observe_odometry, refuse))
        for index, axis in enumerate(robot.axes):
            stream, refuse = (
                self._streams.get(Kind.AXIS, axis.name),
                core.refuser(f"axis {axis.name}"),
            )
            taker = partial(core.observe_axis, index)
            parts.append(AxisState(node, stream, axis, taker, refuse))
        return parts

    def _hear(self, kind: str, topic: str, callback: Callable[[Any], None]) -> ControlTopic:
        return ControlTopic(self._node, kind, topic, callback, self._on_failure)

    def _on_failure(self, sentence: str) -> None:
        """Hold: what may stop the robot could not be read."""
        self._core.stop(Finding(Reason.INPUT_INVALID, sentence))

    def _on_instruction(self, message: String) -> None:
        self._core.set_instruction(message.data)

    def _on_estop(self, message: Bool) -> None:
        self._core.set_estop(pressed=bool(message.data))

    def _on_teleop(self, message: Bool) -> None:
        self._core.set_teleop(active=bool(message.data))

    def _on_joints(self, data: bytes) -> None:
        try:
            found = self._positions.push(data, self._core.now_ns())
        except BadSampleError as error:
            if self._core.refuse("joints", str(error)):
                self._node.get_logger().warning(f"joints: {error}")
            return
        if found is not None:
            self._core.observe_joints(found)
