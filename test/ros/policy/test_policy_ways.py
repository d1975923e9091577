# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policy node tells a Cartesian trajectory controller whole ways, and ends with the hold."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="interfaces are not built: run `make build`")

from evla_ros.bench.fake_robot import FakeRobot  # noqa: E402
from evla_ros.control.limits import LimitValues  # noqa: E402
from evla_ros.embodiment import load_embodiment  # noqa: E402
from evla_ros.geometry import TimedPose, distance  # noqa: E402

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def told(ros_domain, tmp_path):
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter import Parameter

    from evla_ros.ros.policy.node import PolicyNode

    file = tmp_path / "robot.yaml"
    text = load_embodiment("tabletop_arm").text
    file.write_text(text.replace("executor: plain", "executor: cartesian_trajectory"), "utf-8")
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    values = {"embodiment": str(file), "policy": "circle", "worker": "thread"}
    overrides = [Parameter(n, value=v) for n, v in {**values, "listen_first_s": 0.0}.items()]
    node = PolicyNode(context=context, parameter_overrides=overrides)
    other = rclpy.create_node("controller", context=context)
    robot = FakeRobot(other, load_embodiment(str(file)), image_size=(48, 64))
    executors = [SingleThreadedExecutor(context=context) for _ in range(2)]
    threads = [threading.Thread(target=executor.spin, daemon=True) for executor in executors]
    for executor, thread, member in zip(executors, threads, (node, other), strict=True):
        executor.add_node(member)
        thread.start()
    node.trigger_configure()
    node.trigger_activate()
    robot.start()
    robot.say("draw a circle")
    until(lambda: node._session.start_motion() is None, lambda: node._session.core.status().finding)
    yield node, robot
    robot.stop()
    node.finish()
    for executor, thread in zip(executors, threads, strict=True):
        executor.shutdown()
        thread.join(5.0)
    node.destroy_node()
    other.destroy_node()
    rclpy.try_shutdown(context=context)


def until(condition, what, limit_s=30.0):
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, what()
        time.sleep(0.02)


def chunks(robot):
    return [way for way in robot.ways[0] if len(way.way) >= 4]


def test_the_controller_moves_the_arm_chunk_by_chunk(told) -> None:
    node, robot = told
    home = robot.measured[0]
    until(
        lambda: len(chunks(robot)) >= 4, lambda: (node._session.core.status().finding, robot.ways)
    )
    until(lambda: distance(home, robot.measured[0])[0] > 0.01, lambda: robot.measured)
    assert not robot.goals[0]  # no PoseStamped beside them
    values = LimitValues.of(node._session.core.embodiment.arms[0].limits)
    for taken in chunks(robot):
        for before, after in pairwise([TimedPose(0, taken.start), *taken.way][1:]):
            seconds = (after.after_ns - before.after_ns) / 1e9
            assert seconds > 0
            metres, radians = distance(before.pose, after.pose)
            assert metres <= values.max_speed_m_s * seconds * (1 + 1e-6)
            assert radians <= values.max_rotation_rad_s * seconds * (1 + 1e-6)


@pytest.mark.parametrize("how", ["stop", "estop", "deactivate", "shutdown"])
def test_the_last_it_is_told_is_the_measured_pose(told, how) -> None:
    node, robot = told
    until(lambda: len(chunks(robot)) >= 2, lambda: node._session.core.status().finding)
    core = node._session.core
    if how == "stop":
        core.stop()
    elif how == "estop":
        robot.press_estop(True)
        until(lambda: core.status().finding.reason.name == "ESTOP", lambda: core.status().finding)
    elif how == "deactivate":
        node.trigger_deactivate()
    else:
        node.trigger_shutdown()
    if how in ("stop", "estop"):
        until(lambda: core.at_rest, lambda: core.status().finding)
    time.sleep(1.5)  # hold_publish_s, and the way itself
    count, end = len(robot.ways[0]), robot.ways[0][-1].way[-1].pose
    assert distance(robot.measured[0], end)[0] < 2e-3
    time.sleep(0.4)
    assert len(robot.ways[0]) == count  # silent
    assert distance(robot.measured[0], end)[0] < 2e-3
