# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A gripper that takes goals of a control_msgs action: one on every change, cancelled on a stop."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionClient
from rclpy.node import Node

from evla_ros.embodiment import Gripper
from evla_ros.embodiment.streams import GRIPPER_COMMAND_ACTION
from evla_ros.errors import EvlaError
from evla_ros.ros.message_types import message_class

_SUCCEEDED = 4  # action_msgs/msg/GoalStatus


class GripperAction:
    """Never more than one goal: a new one takes the place of the last, none waits in a queue.

    Called from one thread, the goal loop's; answers come from the executor's.
    """

    def __init__(
        self,
        node: Node,
        gripper: Gripper,
        action_type: str,
        on_opening: Callable[[float], None] | None = None,
    ) -> None:
        """Create the client.

        Args:
            node: Whose client it is.
            gripper: Says what its numbers mean.
            action_type: Of the action.
            on_opening: Told the opening, 1 open, that the result of a goal says.

        Raises:
            EvlaError: control_msgs is not installed.
        """
        kind = action_class(action_type)
        self._node, self._gripper, self._kind = node, gripper, kind
        self._on_opening = on_opening
        self._simple = action_type == GRIPPER_COMMAND_ACTION
        self._client = ActionClient(node, kind, gripper.command)
        self._sent: float | None = None  # what the newest goal asks for
        self._asking = False  # the newest goal has not been answered yet
        self._handle: Any = None

    @property
    def name(self) -> str:
        """The resolved name of the action."""
        return str(self._node.resolve_topic_name(self._gripper.command))

    @property
    def servers(self) -> int:
        """How many take the goals: 0 or 1."""
        return int(self._client.server_is_ready())

    def send(self, value: float) -> None:
        """Ask for a device value; nothing is sent while it is what was asked for last.

        While the last goal is not answered, or nobody serves the action, nothing is sent either:
        the caller asks again in its next tick. A server that has gone answers no more, and one that
        comes after it knows of no goal.
        """
        if not self.servers:
            self._forget()
        elif value != self._sent and not self._asking:
            self._ask(value)

    def _ask(self, value: float) -> None:
        self._sent, self._asking = value, True
        future = self._client.send_goal_async(self._goal(value))
        future.add_done_callback(self._on_answer)

    def _forget(self) -> None:
        self._sent, self._asking, self._handle = None, False, None

    def stop(self) -> None:
        """Cancel the goal under way; the next `send` counts as a change."""
        self._sent, handle = None, self._handle
        self._handle = None
        if handle is not None:
            handle.cancel_goal_async()

    def destroy(self) -> None:
        """Destroy the client."""
        self._client.destroy()

    def _goal(self, value: float) -> Any:
        goal, effort = self._kind.Goal(), self._gripper.max_effort
        if self._simple:
            goal.command.position = value
            goal.command.max_effort = float(effort or 0.0)
            return goal
        goal.command.name, goal.command.position = [self._gripper.command_joint], [value]
        if effort is not None:
            goal.command.effort = [float(effort)]
        return goal

    def _on_answer(self, future: Any) -> None:
        handle, self._asking = future.result(), False
        if handle is None or not handle.accepted:
            self._node.get_logger().warning(
                f"{self.name} refused the goal {self._sent}", throttle_duration_sec=5.0
            )
            return
        if self._sent is None:  # stopped while the goal was on its way
            handle.cancel_goal_async()
            return
        self._handle = handle
        handle.get_result_async().add_done_callback(lambda done: self._on_end(handle, done))

    def _on_end(self, handle: Any, done: Any) -> None:
        if self._handle is handle:
            self._handle = None
        answer = done.result()
        if self._on_opening is None or answer is None:
            return
        result = answer.result
        if answer.status == _SUCCEEDED or result.stalled or result.reached_goal:
            value = self._position(result)
            if value is not None and math.isfinite(value):
                self._on_opening(self._gripper.measured_opening(value))

    def _position(self, result: Any) -> float | None:
        """Return the device value that a result says, None when it is about other joints."""
        if self._simple:
            return float(result.position)
        found = dict(zip(result.state.name, result.state.position, strict=False))
        return found.get(self._gripper.command_joint)


def action_class(action_type: str) -> Any:
    """Return the class of a gripper's action; raises EvlaError where it is not installed."""
    try:
        return message_class(action_type)
    except (ImportError, AttributeError) as error:
        raise EvlaError(
            f"the gripper's command needs {action_type}, which is not installed: "
            "install control_msgs (ros-<distro>-control-msgs), or give the gripper a command "
            "topic"
        ) from error
