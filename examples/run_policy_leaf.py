# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A leaf of a behaviour tree (py_trees) that runs the policy for one instruction.

It succeeds when its time is over: whether the task was done is for a condition beside it in your
tree to see, which ends the leaf by ending its parent.
"""

from __future__ import annotations

from typing import Any

from py_trees.behaviour import Behaviour
from py_trees.common import Status
from rclpy.action import ActionClient
from rclpy.node import Node

from evla_ros.action import RunPolicy


class RunPolicyLeaf(Behaviour):
    """Runs the policy for one instruction; ended from outside, it cancels, and the arm holds."""

    def __init__(
        self, node: Node, client: ActionClient, instruction: str, seconds: float, record: bool
    ) -> None:
        super().__init__(name=instruction)
        self._node, self._client = node, client
        self._goal = RunPolicy.Goal(instruction=instruction, max_duration_s=seconds, record=record)
        self._handle: Any = None
        self._result: Any = None
        self._over = False

    def initialise(self) -> None:
        """Send the goal."""
        self._handle = self._result = None
        self._over = False
        self.feedback_message = "waiting for the policy node"
        if self._client.server_is_ready():
            sent = self._client.send_goal_async(self._goal, self._hear)
            sent.add_done_callback(self._accepted)

    def update(self) -> Status:
        """Return how it stands; the text is the node's own."""
        if self._result is not None:
            self.feedback_message = self._result.text
            return Status.SUCCESS if self._result.success else Status.FAILURE
        if not self._client.server_is_ready():
            self.feedback_message = "no policy node offers ~/run: start it (evla run policy)"
            return Status.FAILURE
        return Status.RUNNING

    def terminate(self, new_status: Status) -> None:
        """Cancel a run that something else in the tree has ended."""
        if new_status is Status.INVALID and self._result is None:
            self._over = True
            if self._handle is not None:
                self._handle.cancel_goal_async()

    def _hear(self, message: Any) -> None:
        feedback = message.feedback
        self.feedback_message = f"{feedback.source}, {feedback.elapsed_s:.0f} s: {feedback.text}"

    def _accepted(self, future: Any) -> None:
        self._handle = future.result()
        if self._over:  # ended while the goal was on its way
            self._handle.cancel_goal_async()
        self._handle.get_result_async().add_done_callback(self._ended)

    def _ended(self, future: Any) -> None:
        self._result = future.result().result
