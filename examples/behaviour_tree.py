# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A behaviour tree that lets the policy do one task after the other, through its action `~/run`.

    python examples/behaviour_tree.py "pick up the red block" "put it in the bowl"

`RunPolicyLeaf` (`examples/run_policy_leaf.py`) is what to copy; this file puts it into a tree.
"""

from __future__ import annotations

import sys
from pathlib import Path

import py_trees
import rclpy
from py_trees.common import Status
from rclpy.action import ActionClient
from rclpy.node import Node

from evla_ros.action import RunPolicy

sys.path.insert(0, str(Path(__file__).parent))  # wherever this is imported from
from run_policy_leaf import RunPolicyLeaf


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
