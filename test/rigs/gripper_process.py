# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A gripper's action server and our output in one process; prints what the server heard, as JSON.

Usage: gripper_process.py EMBODIMENT.yaml
"""

from __future__ import annotations

import json
import sys
import threading
import time

import rclpy
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor

from evla_ros.control.ticks import ArmTick, Told
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import GRIPPER_COMMAND_ACTION, gripper_action
from evla_ros.ros.command_output import CommandOutput
from evla_ros.ros.message_types import message_class


class Server:
    """Accepts every goal and works on it until it is cancelled or another one comes."""

    def __init__(self, node, body) -> None:
        gripper = body.arms[0].gripper
        self.simple = gripper_action(gripper) == GRIPPER_COMMAND_ACTION
        self.kind = message_class(gripper_action(gripper))
        self.events: list = []
        self.newest = 0
        ActionServer(
            node, self.kind, gripper.command, self.work,
            goal_callback=self.on_goal, cancel_callback=self.on_cancel,
            callback_group=ReentrantCallbackGroup(),
        )  # fmt: skip

    def on_goal(self, goal):
        command = goal.command
        if self.simple:
            self.events.append(["goal", command.position, command.max_effort])
        else:
            self.events.append(["goal", *command.name, *command.position, *command.effort])
        return GoalResponse.ACCEPT

    def on_cancel(self, _):
        self.events.append(["cancel"])
        return CancelResponse.ACCEPT

    def work(self, handle):
        self.newest += 1
        number = self.newest
        while number == self.newest and not handle.is_cancel_requested:
            time.sleep(0.01)
        if handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return self.kind.Result()


def main(file: str) -> int:
    body = load_embodiment(file)
    rclpy.init()
    robot, ours = rclpy.create_node("gripper"), rclpy.create_node("ours")
    server = Server(robot, body)
    output = CommandOutput(ours, body, shadow=False)
    silent = CommandOutput(ours, body, shadow=True)
    executor = MultiThreadedExecutor(4)
    for node in (robot, ours):
        executor.add_node(node)
    threading.Thread(target=executor.spin, daemon=True).start()
    end = time.monotonic() + 20.0
    while not all(output.listeners().get(name) for name in ("/grip",)):
        assert time.monotonic() < end, output.listeners()
        time.sleep(0.05)
    for opening in [1.0] * 30 + [0.0] * 30 + [None] * 10 + [0.0] * 20 + [None] * 10:
        now_ns = ours.get_clock().now().nanoseconds
        for one in (output, silent):
            one.publish(Told((ArmTick(None, opening),)), now_ns)
        time.sleep(0.02)
    time.sleep(0.5)
    print(json.dumps({"events": server.events, "listeners": output.listeners()}))
    sys.stdout.flush()
    executor.shutdown(timeout_sec=1.0)
    output.destroy()
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
