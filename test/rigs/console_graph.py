# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Simulator, policy, recorder, teleoperation and console as processes, and who listens."""

from __future__ import annotations

import os
import socket
import threading
import time
import urllib.request
from collections import deque

import rclpy

from evla_ros.ros.evaluation.processes import NodeProcess

LIMIT_S = 60.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ConsoleGraph:
    """The nodes of one robot; `address` is the page's."""

    def __init__(self, folder, robot="tabletop_arm", nodes=("sim", "policy", "recorder", "teleop")):
        self.folder, self.recordings = folder, folder / "recordings"
        self.namespace = f"/console_{os.getpid()}"
        own = {"embodiment": robot}
        port = free_port()
        values = {
            "sim": {"world": robot, "image_size": 64, "seed": 3},
            "policy": {**own, "policy": "circle", "worker": "thread", "autostart": True},
            "recorder": {
                **own, "output": self.recordings, "min_free_gib": 0.05, "min_minutes": 0.0,
                "preflight": False,
            },
            "teleop": {**own, "keyboard": False, "listen_first_s": 0.5},
            "console": {
                **own, "port": port, "recordings": self.recordings, "datasets": folder / "datasets"
            },
        }  # fmt: skip
        self.processes = {name: self._start(name, values[name]) for name in (*nodes, "console")}
        self.address = f"http://127.0.0.1:{port}/"
        self.ears = Ears(self.namespace)
        self._await_page()

    def _start(self, name, values):
        return NodeProcess(name, self.namespace, values, self.folder / f"{name}.log")

    def _await_page(self):
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            self.processes["console"].check()
            try:
                urllib.request.urlopen(f"{self.address}healthz", timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(self.log("console"))

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()

    def close(self):
        self.ears.close()
        for process in reversed(self.processes.values()):
            process.end()


class Ears:
    """Hears the robot: policy status, goals, poses, who drives."""

    def __init__(self, namespace):
        from geometry_msgs.msg import PoseStamped
        from std_msgs.msg import Bool

        from evla_ros.msg import PolicyStatus
        from evla_ros.ros.qos import every_sample, latched

        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node("ears", namespace=namespace, context=self._context)
        self.statuses, self.active, self.poses, self.goals = (deque(maxlen=5000) for _ in range(4))
        hear = self.node.create_subscription
        hear(PolicyStatus, "policy/status", self._on_status, latched())
        hear(Bool, "teleop/active", lambda m: self.active.append(m.data), latched())
        hear(PoseStamped, "arm/current_pose", self._on(self.poses), every_sample())
        hear(PoseStamped, "arm/target_pose", self._on(self.goals), every_sample())
        self._executor = rclpy.executors.SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def _on_status(self, message):
        self.statuses.append(message)

    @staticmethod
    def _on(where):
        def take(message):
            p = message.pose.position
            where.append((time.monotonic(), (p.x, p.y, p.z)))

        return take

    @property
    def driven(self):
        return bool(self.active) and self.active[-1]

    @property
    def moving(self):
        return bool(self.statuses) and self.statuses[-1].moving

    @property
    def reason(self):
        return self.statuses[-1].reason if self.statuses else None

    def wait(self, condition, limit_s=LIMIT_S):
        end = time.monotonic() + limit_s
        while not condition():
            reason = self.statuses[-1].reason_text if self.statuses else "no status"
            assert time.monotonic() < end, reason
            time.sleep(0.01)

    def close(self):
        self._executor.shutdown()
        self._thread.join()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
