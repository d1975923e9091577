# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What leaves the node towards the robot: goals and gripper commands of arms, base and axes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from geometry_msgs.msg import PoseStamped
from rclpy.duration import Duration
from rclpy.node import Node

from evla_ros.control.ticks import ArmTick, Told
from evla_ros.data.codecs.goal import way_fields
from evla_ros.data.codecs.gripper import gripper_fields
from evla_ros.embodiment import Arm, Embodiment
from evla_ros.embodiment.streams import (
    JOINT_TRAJECTORY,
    POSE_TRAJECTORY,
    Kind,
    StreamTable,
    gripper_action,
    streams_of,
    told_ways,
)
from evla_ros.ros.gripper_action import GripperAction
from evla_ros.ros.message_types import message_class, new_message
from evla_ros.ros.moving_output import MovingOutput
from evla_ros.ros.pose_conversion import fill_pose
from evla_ros.ros.qos import stream_profile
from evla_ros.units import SECOND_NS

_REPEAT_NS = SECOND_NS


class _ArmOutput:
    """Publishers of one arm; its goal message is built once."""

    def __init__(
        self,
        node: Node,
        streams: StreamTable,
        arm: Arm,
        frame: str,
        prefix: str,
        on_opening: Callable[[float], None] | None,
    ) -> None:
        def publisher(kind: Kind) -> Any:
            stream = streams.get(kind, arm.name)
            profile = stream_profile(stream)
            return node.create_publisher(message_class(stream.type), prefix + stream.topic, profile)

        self._goal, self._ways = publisher(Kind.GOAL), told_ways(arm)
        self._message = PoseStamped()
        self._message.header.frame_id = frame
        self._gripper = arm.gripper
        self._stream = streams.find(Kind.GRIPPER_COMMAND, arm.name)
        self._command = None if self._stream is None else publisher(Kind.GRIPPER_COMMAND)
        self._sent: tuple[float, int] | None = None
        kind = gripper_action(arm.gripper)
        self._action: GripperAction | None = None
        if kind is not None and arm.gripper is not None and not prefix:  # in shadow none is sent
            self._action = GripperAction(node, arm.gripper, kind, on_opening)

    def publish(self, tick: ArmTick, now_ns: int) -> None:
        """Send the goal, and the gripper command when it changed or a second has passed."""
        if tick.goal is not None and not self._ways:
            fill_pose(self._message, tick.goal, now_ns)
            self._goal.publish(self._message)
        if tick.way:
            # Its stamp is when it begins: 0 is on arrival, whatever the controller's clock says.
            fields = way_fields(self._message.header.frame_id, tick.way)
            self._goal.publish(new_message(POSE_TRAJECTORY, fields, 0))
        if tick.opening is None:
            self._sent = None
            if self._action is not None:
                self._action.stop()
            return
        if self._action is not None and self._gripper is not None:
            self._action.send(float(self._gripper.device_value(tick.opening)))
        if self._command is None or self._gripper is None or self._stream is None:
            return
        if self._sent and self._sent[0] == tick.opening and now_ns - self._sent[1] < _REPEAT_NS:
            return
        self._sent = (tick.opening, now_ns)
        fields = gripper_fields(self._stream, float(self._gripper.device_value(tick.opening)))
        # A trajectory's stamp is when it begins: 0 is at once.
        stamp_ns = 0 if self._stream.type == JOINT_TRAJECTORY else now_ns
        self._command.publish(new_message(self._stream.type, fields, stamp_ns))

    def listeners(self) -> dict[str, int]:
        """Return per topic how many subscriptions match, and whether its action is served."""
        made = [self._goal] if self._command is None else [self._goal, self._command]
        found = {str(out.topic_name): int(out.get_subscription_count()) for out in made}
        return found if self._action is None else {**found, self._action.name: self._action.servers}

    @property
    def goal_topic(self) -> str:
        return str(self._goal.topic_name)

    def flush(self, timeout_s: float) -> None:
        """Wait until every reliable reader has the last goal."""
        self._goal.wait_for_all_acked(Duration(seconds=timeout_s))

    def destroy(self, node: Node) -> None:
        node.destroy_publisher(self._goal)
        if self._command is not None:
            node.destroy_publisher(self._command)
        if self._action is not None:
            self._action.stop()
            self._action.destroy()


class CommandOutput:
    """All parts of a robot; in shadow mode everything goes to ~/shadow/... instead."""

    def __init__(
        self,
        node: Node,
        embodiment: Embodiment,
        *,
        shadow: bool,
        on_opening: Callable[[int, float], None] | None = None,
    ) -> None:
        """Create the publishers.

        Args:
            node: Whose they are.
            embodiment: The robot.
            shadow: Publish beside the robot's topics, not on them.
            on_opening: Told the arm and the opening that the result of a gripper's action says,
                where that is how the gripper is measured.
        """
        self._node, self._shadow = node, shadow
        prefix = "~/shadow/" if shadow else ""
        frame, streams = embodiment.base_frame, streams_of(embodiment)
        self._arms = [
            _ArmOutput(node, streams, arm, frame, prefix, _reporter(arm, index, on_opening))
            for index, arm in enumerate(embodiment.arms)
        ]
        self._others = MovingOutput(node, embodiment, prefix)

    def publish(self, told: Told, now_ns: int) -> None:
        """Send one tick."""
        for output, tick in zip(self._arms, told.arms, strict=True):
            output.publish(tick, now_ns)
        self._others.publish(told, now_ns)

    def goal_topics(self) -> list[str]:
        """Return the resolved topics that move the robot: none in shadow mode."""
        if self._shadow:
            return []
        return [*(arm.goal_topic for arm in self._arms), *self._others.listeners()]

    def listeners(self) -> dict[str, int]:
        """Return per command topic how many subscriptions match; nothing in shadow mode."""
        if self._shadow:
            return {}
        arms = {topic: n for arm in self._arms for topic, n in arm.listeners().items()}
        return {**arms, **self._others.listeners()}

    def flush(self, timeout_s: float = 0.2) -> None:
        """Wait until the last goals have arrived."""
        for arm in self._arms:
            arm.flush(timeout_s)
        self._others.flush(timeout_s)

    def destroy(self) -> None:
        """Destroy the publishers."""
        for arm in self._arms:
            arm.destroy(self._node)
        self._others.destroy(self._node)
        self._arms = []


def _reporter(
    arm: Arm, index: int, on_opening: Callable[[int, float], None] | None
) -> Callable[[float], None] | None:
    reports = arm.gripper is not None and arm.gripper.reports_by_action
    return partial(on_opening, index) if on_opening is not None and reports else None
