# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy node in the test's own process, beside a fake robot."""

from __future__ import annotations

import threading
import time

import pytest


def _spinning(context, node):
    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    return executor, thread


@pytest.fixture
def robot(context):
    """Return a robot that sends images and poses and follows its goals."""
    import rclpy

    from evla_ros.bench.fake_robot import FakeRobot
    from evla_ros.embodiment import load_embodiment

    node = rclpy.create_node("robot", context=context)
    robot = FakeRobot(node, load_embodiment("tabletop_arm"), image_size=(48, 64))
    executor, thread = _spinning(context, node)
    robot.start()
    yield robot
    robot.stop()
    executor.shutdown()
    thread.join(5.0)
    node.destroy_node()


@pytest.fixture
def live_policy(context, robot):
    """Return what brings up a node with parameters, by default until it moves the robot."""
    from rclpy.parameter import Parameter

    from evla_ros.ros.policy.node import PolicyNode

    made = []

    def bring_up(*, moving=True, **parameters):
        quick = {"policy": "circle", "worker": "thread", "listen_first_s": 0.0}
        values = {**quick, **parameters}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        node = PolicyNode(context=context, parameter_overrides=overrides)
        made.append((node, *_spinning(context, node)))
        node.trigger_configure()
        node.trigger_activate()
        robot.say("draw a circle")
        end_s = time.monotonic() + 20.0
        while moving and (refusal := node._session.start_motion()) is not None:
            assert time.monotonic() < end_s, refusal.text
            time.sleep(0.01)
        return node

    yield bring_up
    for node, executor, thread in made:
        executor.shutdown()
        thread.join(5.0)
        node.finish()
        node.destroy_node()
    made.clear()
