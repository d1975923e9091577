# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An invented robot that publishes in real time, and a recorder node that listens to it."""

from __future__ import annotations

import threading
import time

import rclpy
from synthetic_bag import SyntheticRobot, robot_events

from evla_ros.embodiment import load_embodiment

BODY = load_embodiment("tabletop_arm")
SECOND = 1_000_000_000


class Robot:
    """Publishes an invented robot's messages in real time from a thread of its own."""

    def __init__(self, context, *, body=BODY, reliable=True, skip=(), skew_ns=0):
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        from evla_ros.ros.message_types import message_class
        from evla_ros.ros.qos import latched

        self.node = rclpy.create_node("robot", context=context)
        policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        self._robot = SyntheticRobot(body, seconds=60.0, camera_hz=15.0, start_ns=0)
        self._skip, self._skew_ns = set(skip), skew_ns
        self._publishers = {}
        for event in self._first(3 * SECOND // 10):
            if event.topic in self._publishers or event.topic[1:] in self._skip:
                continue
            qos = QoSProfile(depth=10, reliability=policy)
            if event.topic == "/instruction":
                qos = latched()
            kind = message_class(event.type)
            self._publishers[event.topic] = self.node.create_publisher(kind, event.topic[1:], qos)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _first(self, until_ns):
        for event in robot_events(self._robot):
            if event.stamp_ns > until_ns:
                return
            yield event

    def silence(self, topic):
        self._skip.add(topic)

    def _run(self):
        from evla_ros.data.cdr import CdrReader

        start = time.time_ns()
        for event in robot_events(self._robot):
            wait = (start + event.stamp_ns - time.time_ns()) / SECOND
            if self._stop.wait(max(wait, 0.0)):
                return
            if event.topic[1:] in self._skip:
                continue
            data = event.data
            if any(stamped in event.type for stamped in ("PoseStamped", "Image", "JointState")):
                CdrReader(data)
                seconds, nanoseconds = divmod(start + event.stamp_ns - self._skew_ns, SECOND)
                stamp = seconds.to_bytes(4, "little") + nanoseconds.to_bytes(4, "little")
                data = data[:4] + stamp + data[12:]
            self._publishers[event.topic].publish(data)

    def close(self):
        self._stop.set()
        self._thread.join()
        self.node.destroy_node()


class Answer:
    """The answer of a service, once it is there."""

    def __init__(self, name, future):
        self._name, self._future, self._came = name, future, threading.Event()
        future.add_done_callback(lambda _: self._came.set())

    def done(self):
        return self._came.is_set()

    def get(self):
        assert self._came.wait(20.0), self._name
        return self._future.result()


class Recording:
    """A recorder node that spins in a thread, and a client for its services."""

    def __init__(self, context, output, **parameters):
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.parameter import Parameter

        from evla_ros.ros.recorder.node import RecorderNode

        values = {"output": str(output), "min_free_gib": 0.05, "min_minutes": 0.0, **parameters}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        self.node = RecorderNode(context=context, parameter_overrides=overrides)
        self.client = rclpy.create_node("operator", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        for node in (self.node, self.client):
            self.executor.add_node(node)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()
        self.node.trigger_configure()
        self.node.trigger_activate()

    def ask(self, name, **fields):
        """Call a service without waiting for its answer."""
        from std_srvs.srv import SetBool, Trigger

        kind = SetBool if fields else Trigger
        client = self.client.create_client(kind, f"recorder/{name}")
        assert client.wait_for_service(10.0)
        return Answer(name, client.call_async(kind.Request(**fields)))

    def call(self, name, **fields):
        return self.ask(name, **fields).get()

    def start(self):
        """Start as soon as the pre-flight has nothing against it."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            answer = self.call("start")
            if answer.success:
                return answer.message.split()[-1]
            time.sleep(0.2)
        raise AssertionError(answer.message)

    def close(self):
        self.executor.shutdown()
        self.thread.join()
        self.node.finish()
        self.node.destroy_node()
        self.client.destroy_node()
