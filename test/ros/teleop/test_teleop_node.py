# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The teleoperation node on a real graph: a joystick moves a robot that follows its goals."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
import time

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

from evla_ros.embodiment import load_embodiment  # noqa: E402
from evla_ros.geometry import Pose, distance  # noqa: E402

BODY = load_embodiment("tabletop_arm")
ARM = BODY.arms[0]
HOME = Pose.from_xyz_rpy([0.45, 0.0, 0.3], [3.14, 0.0, 0.3])


class Robot:
    """Follows the last goal at once, publishes its pose at 50 Hz, remembers what it was told."""

    def __init__(self, context):
        from geometry_msgs.msg import PoseStamped
        from sensor_msgs.msg import Joy
        from std_msgs.msg import Bool, Float64

        from evla_ros.ros.qos import latched, reliable
        from evla_ros.ros.simulator.messages import pose_of

        self.node = rclpy.create_node("robot", context=context)
        self.pose, self.goals, self.active, self.grips = HOME, [], [], []
        self._pose_of, self.base_frame = pose_of, BODY.base_frame
        self._out = self.node.create_publisher(PoseStamped, ARM.pose.topic, reliable())
        self.joy = self.node.create_publisher(Joy, "joy", reliable())
        self.node.create_subscription(PoseStamped, ARM.goal.topic, self._on_goal, reliable(50))
        flag = self.node.create_subscription
        flag(Bool, "teleop/active", lambda m: self.active.append(m.data), latched(50))
        flag(Float64, ARM.gripper.command, lambda m: self.grips.append(m.data), reliable(50))
        self.node.create_timer(0.02, self._publish)
        self.executor = rclpy.executors.SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self._thread = threading.Thread(target=self.executor.spin, daemon=True)
        self._thread.start()

    def _on_goal(self, message):
        assert message.header.frame_id == BODY.base_frame
        self.pose = self._pose_of(message)
        self.goals.append(self.pose)

    def _publish(self):
        from evla_ros.ros.pose_conversion import pose_stamped

        self._out.publish(pose_stamped(self.pose, self.base_frame, time.time_ns()))

    def stick(self, forward, *, held, grip=False, seconds=1.0):
        from sensor_msgs.msg import Joy

        for _ in range(round(seconds * 50)):
            buttons = [int(grip), 0, 0, 0, int(held), 0]
            self.joy.publish(Joy(axes=[0.0, float(forward), 0.0, 0.0, 0.0], buttons=buttons))
            time.sleep(0.02)

    def close(self):
        self.executor.shutdown()
        self._thread.join()
        self.node.destroy_node()


@pytest.fixture
def robot(ros_domain):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    robot = Robot(context)
    yield robot
    robot.close()
    rclpy.try_shutdown(context=context)


@pytest.fixture
def teleop(robot):
    from evla_ros.ros.teleop.node import TeleopNode

    at_once = [rclpy.parameter.Parameter("listen_first_s", value=0.0)]
    node = TeleopNode(context=robot.node.context, parameter_overrides=at_once)
    robot.executor.add_node(node)
    time.sleep(1.0)
    yield node
    robot.executor.remove_node(node)
    node.finish()
    node.destroy_node()


def test_dead_man_moves_and_letting_go_holds(robot, teleop):
    robot.stick(1.0, held=False, seconds=0.5)
    assert robot.goals == []
    robot.stick(1.0, held=True, seconds=1.5)
    assert distance(robot.goals[0], HOME)[0] < 0.005
    assert robot.goals[-1].position_m[0] > HOME.position_m[0] + 0.1
    assert robot.active[-1] is True
    robot.stick(0.0, held=True, grip=True, seconds=0.2)
    assert robot.grips[-1] == ARM.gripper.closed
    robot.stick(0.0, held=False, seconds=1.0)
    assert robot.active[-1] is False
    count = len(robot.goals)
    time.sleep(0.5)
    assert len(robot.goals) == count


def test_stopping_the_node_mid_motion_ends_with_a_hold(robot, teleop):
    robot.stick(1.0, held=True, seconds=0.8)
    teleop.finish()
    time.sleep(0.3)
    last = robot.goals[-5:]
    assert len(robot.goals) > 20
    assert max(distance(a, last[0])[0] for a in last) < 1e-9


def test_the_stop_button_holds_until_it_is_reset_and_the_dead_man_pressed_anew(robot, teleop):
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from std_msgs.msg import Bool
    from std_srvs.srv import Trigger

    best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    button = robot.node.create_publisher(Bool, "estop", best_effort)
    reset = robot.node.create_client(Trigger, "teleop/reset_estop")
    assert reset.wait_for_service(20.0)

    def asked():
        future = reset.call_async(Trigger.Request())
        deadline = time.monotonic() + 20.0
        while not future.done():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return future.result()

    robot.stick(1.0, held=True, seconds=0.8)
    assert len(robot.goals) > 10
    where = robot.pose
    for _ in range(20):
        button.publish(Bool(data=True))
        robot.stick(1.0, held=True, seconds=0.06)
    assert distance(robot.pose, where)[0] < 0.1
    count = len(robot.goals)
    robot.stick(1.0, held=True, seconds=0.5)
    assert robot.active[-1] is False
    assert len(robot.goals) == count
    assert "pressed" in asked().message
    button.publish(Bool(data=False))
    robot.stick(1.0, held=False, seconds=0.3)
    robot.stick(1.0, held=True, seconds=0.5)
    assert len(robot.goals) == count  # released, and not reset
    assert asked().success
    robot.stick(1.0, held=True, seconds=0.5)
    assert len(robot.goals) == count  # reset, and the dead-man still held
    robot.stick(1.0, held=False, seconds=0.5)
    robot.stick(1.0, held=True, seconds=0.8)
    assert len(robot.goals) > count


def test_a_pose_in_another_frame_is_named_when_driving_does_not_start(robot, teleop):
    problems = []
    teleop._complain = problems.append
    robot.base_frame = "world"
    time.sleep(0.5)
    robot.stick(1.0, held=True, seconds=1.0)
    assert robot.goals == []
    assert any("'world'" in problem and "does not start" in problem for problem in problems)


def test_keyboard_of_a_terminal_moves_the_robot(robot, root):
    """A real pseudo-terminal: keys are typed as a person's terminal would send them."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "evla_ros.ros.teleop.main"]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, env=dict(os.environ), cwd=root
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and len(robot.goals) < 60:
            os.write(ours, b"a")
            time.sleep(0.03)
        assert robot.pose.position_m[1] > 0.01
        time.sleep(1.5)
        assert robot.active[-1] is False
    finally:
        process.terminate()
        process.wait(20)
        os.close(ours)
        os.close(theirs)
