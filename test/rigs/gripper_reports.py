# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands a gripper's action beside a running robot; prints what is heard of it, as JSON.

Usage: gripper_reports.py EMBODIMENT.yaml
"""

from __future__ import annotations

import json
import sys
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor

from evla_ros.control.ticks import ArmTick, Told
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.ros.arm_input import GripperState
from evla_ros.ros.command_output import CommandOutput


def main(file: str) -> int:
    body = load_embodiment(file)
    rclpy.init()
    node = rclpy.create_node("ours")
    feedback, results, problems = [], [], []
    output = CommandOutput(
        node, body, shadow=False, on_opening=lambda arm, opening: results.append(opening)
    )
    stream = streams_of(body).get(Kind.GRIPPER, "arm")
    GripperState(
        node, stream, body.arms[0].gripper,
        lambda _, opening: feedback.append(opening), lambda problem, *_: problems.append(problem),
    )  # fmt: skip
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def until(condition):
        end = time.monotonic() + 40.0
        while not condition():
            assert time.monotonic() < end, (feedback[-5:], results, problems)
            executor.spin_once(timeout_sec=0.02)

    until(lambda: output.listeners().get("/grip"))
    for opening in (0.0, 1.0):
        count = len(results)

        def told(opening=opening, count=count):
            tick = Told((ArmTick(None, opening),))
            output.publish(tick, node.get_clock().now().nanoseconds)
            return len(results) > count

        until(told)
    print(json.dumps({"feedback": feedback, "results": results, "problems": problems}))
    sys.stdout.flush()
    executor.shutdown(timeout_sec=1.0)
    output.destroy()
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
