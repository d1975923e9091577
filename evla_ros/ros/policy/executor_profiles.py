# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the consumer of the goals wants besides the goals themselves.

For `plain`, `cartesian_controllers` and `crisp` that is nothing: a PoseStamped in the base frame,
stamped with the present time, is enough. MoveIt Servo (`servo`) ignores poses until it has been
told to expect them, and drops goals older than 0.1 s, which the goal rate (20 Hz or more) avoids.
"""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from std_srvs.srv import SetBool

from evla_ros.errors import EvlaError

_POSE = 2  # moveit_msgs/srv/ServoCommandType: POSE


class ExecutorProfile:
    """A consumer that follows whatever pose arrives; told when goals begin and end."""

    def engage(self) -> None:
        """Say that goals will come; called on activate, does not wait."""

    def release(self) -> None:
        """Say that no more goals come; called on deactivate, after the last hold."""

    def problem(self) -> str:
        """Return what keeps the consumer from following, '' when nothing is known."""
        return ""

    def destroy(self) -> None:
        """Let clients go."""


class ServoProfile(ExecutorProfile):
    """Selects the pose command type and unpauses on activate; pauses again on deactivate."""

    def __init__(self, node: Node, servo_node: str) -> None:
        """Create the clients; raises EvlaError where moveit_msgs is not installed."""
        try:
            from moveit_msgs.srv import ServoCommandType
        except ImportError as error:
            raise EvlaError(
                "executor servo needs moveit_msgs, which is not installed; install MoveIt, or use "
                "executor: plain"
            ) from error
        self._node, self._name = node, servo_node
        self._type_request: Any = ServoCommandType.Request(command_type=_POSE)
        self._select = node.create_client(ServoCommandType, f"{servo_node}/switch_command_type")
        self._pause = node.create_client(SetBool, f"{servo_node}/pause_servo")
        self._answer: Any = None

    def engage(self) -> None:
        """Ask for pose commands, unpaused."""
        if self._select.service_is_ready():
            self._answer = self._select.call_async(self._type_request)
            self._pause.call_async(SetBool.Request(data=False))

    def release(self) -> None:
        """Ask for a pause."""
        if self._pause.service_is_ready():
            self._pause.call_async(SetBool.Request(data=True))

    def problem(self) -> str:
        """Return why Servo does not take poses yet."""
        if self._answer is None:
            self.engage()
        if self._answer is None:
            return f"MoveIt Servo ({self._name}) offers no switch_command_type service"
        if not self._answer.done():
            return f"MoveIt Servo ({self._name}) has not answered yet"
        answer = self._answer.result()
        if answer is None or not answer.success:
            self._answer = None
            return f"MoveIt Servo ({self._name}) refused pose commands"
        return ""

    def destroy(self) -> None:
        """Destroy the clients."""
        self._node.destroy_client(self._select)
        self._node.destroy_client(self._pause)


def profile_of(node: Node, executor: str, servo_node: str) -> ExecutorProfile:
    """Return the profile that the embodiment's `executor` names."""
    return ServoProfile(node, servo_node) if executor == "servo" else ExecutorProfile()
