# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A behaviour tree that lets the policy do one task after the other, through its action `~/run`.

    pip install py-trees
    python examples/behaviour_tree.py "pick up the red block" "put it in the bowl"

`RunPolicyLeaf` is what to copy. It succeeds when its time is over: whether the task was done is
for a condition beside it in your tree to see, which ends the leaf by ending its parent.
"""

from __future__ import annotations

import sys
from typing import Any

import py_trees
import rclpy
from py_trees.common import Status
from rclpy.action import ActionClient
from rclpy.node import Node

from evla_ros.action import RunPolicy


class RunPolicyLeaf(py_trees.behaviour.Behaviour):
    """Runs the policy for one instruction; ended from outside, it cancels, and the arm holds."""

    def __init__(
        self,
        node: Node,
        client: ActionClient,
        instruction: str,
        max_duration_s: float,
        record: bool,
    ) -> None:
        super().__init__(name=instruction)
        self._node, self._client = node, client
        self._goal_fields = {
            "instruction": instruction,
            "max_duration_s": max_duration_s,
            "record": record,
        }
        self._handle: Any = None
        self._result: Any = None
        self._over = False

    def initialise(self) -> None:
        """Send the goal."""
        self._handle = self._result = None
        self._over = False
        self.feedback_message = "waiting for the policy node"
        if self._client.server_is_ready():
            goal = RunPolicy.Goal(**self._goal_fields)
            self._client.send_goal_async(goal, self._hear).add_done_callback(self._accepted)

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


def tree_of(
    node: Node, client: ActionClient, tasks: list[str], max_duration_s: float, record: bool = False
) -> py_trees.composites.Sequence:
    """Return a tree that runs tasks one after the other, and fails with the first that fails."""
    root = py_trees.composites.Sequence(name="tasks", memory=True)
    root.add_children([RunPolicyLeaf(node, client, task, max_duration_s, record) for task in tasks])
    return root


def main(tasks: list[str]) -> int:
    """Run the tasks, ten seconds each; 0 when every run ended as asked."""
    rclpy.init()
    node = rclpy.create_node("task_planner")
    client = ActionClient(node, RunPolicy, "policy/run")
    root = tree_of(node, client, tasks, max_duration_s=10.0)
    client.wait_for_server(timeout_sec=10.0)
    said = ""
    try:
        while root.status in (Status.INVALID, Status.RUNNING):
            root.tick_once()
            rclpy.spin_once(node, timeout_sec=0.1)
            tip = root.tip()
            line = f"{tip.name}: {tip.feedback_message}" if tip is not None else ""
            if line != said:
                said = line
                print(line, flush=True)
    except KeyboardInterrupt:
        root.stop(Status.INVALID)  # cancels the run in progress
        rclpy.spin_once(node, timeout_sec=1.0)
    finally:
        client.destroy()
        node.destroy_node()
        rclpy.try_shutdown()
    return 0 if root.status is Status.SUCCESS else 1


if __name__ == "__main__":
    if not sys.argv[1:]:
        raise SystemExit('name the tasks, such as "pick up the red block"')
    raise SystemExit(main(sys.argv[1:]))
