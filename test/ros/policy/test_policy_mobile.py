# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policy node drives a base and a lift over DDS, and the last thing they get is a stop."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="interfaces are not built: run `make build`")

from evla_ros.bench.fake_robot import FakeRobot  # noqa: E402
from evla_ros.data.codecs.axis import axes_fields, axis_from_cdr  # noqa: E402
from evla_ros.data.codecs.base import odometry_fields, velocity_from_cdr  # noqa: E402
from evla_ros.embodiment import load_embodiment  # noqa: E402
from evla_ros.embodiment.streams import Kind, streams_of  # noqa: E402
from evla_ros.geometry import Pose  # noqa: E402

pytestmark = pytest.mark.timeout(120)
BODY = load_embodiment("mobile_manipulator")
STREAMS = streams_of(BODY)


def act(observation):
    """Drive on, and lift a little."""
    actions = np.zeros((BODY.action.chunk, 11))
    actions[:, 6], actions[:, 7:10], actions[:, 10] = 1.0, [0.2, 0.1, -0.3], 0.15
    return actions


class Wheels:
    """Odometry and a lift that obey at once; `told` collects what arrives."""

    def __init__(self, node) -> None:
        from evla_ros.ros.message_types import message_class
        from evla_ros.ros.qos import reliable

        self._node = node
        odometry, state = STREAMS.get(Kind.ODOMETRY), STREAMS.get(Kind.AXIS, "lift")
        self._odometry = node.create_publisher(
            message_class(odometry.type), odometry.topic, reliable(5)
        )
        self._state = node.create_publisher(message_class(state.type), state.topic, reliable(5))
        self.velocity, self.position, self.on = np.zeros(3), 0.1, True
        self.told, self.goals = [], []
        for kind, name, taker in (
            (Kind.BASE_COMMAND, "", self._on_velocity),
            (Kind.AXIS_COMMAND, "lift", self._on_goal),
        ):
            stream = STREAMS.get(kind, name)
            kind_ = message_class(stream.type)
            node.create_subscription(kind_, stream.topic, taker, reliable(10), raw=True)
        node.create_timer(0.02, self._publish)

    def _on_velocity(self, data) -> None:
        self.velocity = velocity_from_cdr(STREAMS.get(Kind.BASE_COMMAND), data).velocity
        self.told.append(self.velocity)

    def _on_goal(self, data) -> None:
        self.position = axis_from_cdr(STREAMS.get(Kind.AXIS_COMMAND, "lift"), data).position
        self.goals.append(self.position)

    def _publish(self) -> None:
        from evla_ros.ros.message_types import new_message

        if not self.on:
            return
        now_ns = self._node.get_clock().now().nanoseconds
        fields = odometry_fields(("odom", "base_link"), Pose.identity(), self.velocity)
        self._odometry.publish(new_message(STREAMS.get(Kind.ODOMETRY).type, fields, now_ns))
        state = STREAMS.get(Kind.AXIS, "lift")
        fields = axes_fields([state], [self.position])
        self._state.publish(new_message(state.type, fields, now_ns))


@pytest.fixture
def driven(ros_domain, monkeypatch):
    import sys
    import types

    from rclpy.executors import SingleThreadedExecutor
    from rclpy.parameter import Parameter

    from evla_ros.ros.policy.node import PolicyNode

    module = types.ModuleType("evla_driving_policy")
    module.act = act
    monkeypatch.setitem(sys.modules, "evla_driving_policy", module)
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    values = {
        "embodiment": "mobile_manipulator", "policy": "scripted", "worker": "thread",
        "checkpoint": "evla_driving_policy:act", "listen_first_s": 0.0,
    }  # fmt: skip
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = PolicyNode(context=context, parameter_overrides=overrides)
    other = rclpy.create_node("robot", context=context)
    robot, wheels = FakeRobot(other, BODY, image_size=(48, 64)), Wheels(other)
    executors = [SingleThreadedExecutor(context=context) for _ in range(2)]
    threads = [threading.Thread(target=executor.spin, daemon=True) for executor in executors]
    for executor, thread, member in zip(executors, threads, (node, other), strict=True):
        executor.add_node(member)
        thread.start()
    node.trigger_configure()
    node.trigger_activate()
    robot.start()
    robot.say("drive on")
    yield node, wheels
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


def test_it_drives_lifts_and_stops(driven) -> None:
    node, wheels = driven
    core = node._session.core
    until(lambda: node._session.start_motion() is None, lambda: core.status().finding)
    until(
        lambda: len(wheels.told) > 10 and np.allclose(wheels.velocity, [0.2, 0.1, -0.3]),
        lambda: (core.status().finding, wheels.told[-3:]),
    )
    until(lambda: abs(wheels.position - 0.15) < 1e-3, lambda: wheels.goals[-3:])
    core.stop()
    until(lambda: not wheels.velocity.any() and core.at_rest, lambda: wheels.told[-3:])
    speeds = np.array([np.hypot(*v[:2]) for v in wheels.told])
    assert (np.diff(speeds).max()) <= BODY.base.limits.max_acceleration_m_s2 * 0.05
    sent = len(wheels.told)
    until(lambda: len(wheels.told) == sent or bool(time.sleep(1.5)), lambda: len(wheels.told), 5.0)


def test_without_odometry_it_says_so_and_brakes(driven) -> None:
    node, wheels = driven
    core = node._session.core
    until(lambda: node._session.start_motion() is None, lambda: core.status().finding)
    until(lambda: bool(wheels.velocity.any()), lambda: core.status().finding)
    wheels.on = False
    until(lambda: not wheels.velocity.any(), lambda: core.status().finding)
    # On a starved machine a pose may be too old for a moment, and is shown first.
    stale = ("ODOMETRY_STALE", "AXIS_STALE", "ODOMETRY_MISSING", "AXIS_MISSING")
    until(lambda: core.status().finding.reason.name in stale, lambda: core.status().finding)
