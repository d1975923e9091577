# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The referee's node: what it hears of robot and policy, and what it may ask of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from std_srvs.srv import Trigger

from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.msg import ActionChunk, PolicyStatus, SimStatus
from evla_ros.ros.pose_conversion import nanoseconds
from evla_ros.ros.qos import every_sample, latched, reliable
from evla_ros.srv import ResetSim


class EvaluationClient:
    """Hears everything, tells nothing but reset, start and stop."""

    def __init__(self, namespace: str, embodiment: Embodiment, check: Callable[[], None]) -> None:
        """check: raises when a process has ended; asked while waiting."""
        self._check, self._arms = check, len(embodiment.arms)
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        node = rclpy.create_node("referee", namespace=namespace, context=self._context)
        self._node = node
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(node)
        self.sim: SimStatus | None = None
        self.policy: PolicyStatus | None = None
        self.clear()
        node.create_subscription(SimStatus, "sim/status", self._on_sim, reliable())
        node.create_subscription(PolicyStatus, "policy/status", self._on_policy, latched())
        node.create_subscription(ActionChunk, "policy/action_chunk", self._on_chunk, reliable())
        for i, arm in enumerate(embodiment.arms):
            if arm.pose.topic:
                on_pose = partial(self._on_pose, i)
                node.create_subscription(PoseStamped, arm.pose.topic, on_pose, every_sample())
        first = embodiment.arms[0].goal.topic
        node.create_subscription(PoseStamped, first, self._on_goal, every_sample())

    def clear(self) -> None:
        """Forget the episode."""
        self.goals = self.limited = 0
        self.holds: Counter[str] = Counter()
        self.inference_ms: list[float] = []
        self.path_m = np.zeros(self._arms)
        self._last_m: list[Any] = [None] * self._arms

    def wait(self, condition: Callable[[], bool], limit_s: float, what: str) -> None:
        """Listen until the condition holds; raises EvlaError after limit_s of real time."""
        end = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end:
                raise EvlaError(f"{what} not within {limit_s:g} s")
            self._check()
            self._executor.spin_once(timeout_sec=0.1)

    def reset(self, task: str, seed: int) -> Any:
        """Start an episode of the robot; returns the service's answer."""
        return self._call(ResetSim, "sim/reset", ResetSim.Request(task=task, seed=seed))

    def start(self) -> Any:
        """Let the policy move."""
        return self._call(Trigger, "policy/start", Trigger.Request())

    def stop(self) -> Any:
        """Stop the policy."""
        return self._call(Trigger, "policy/stop", Trigger.Request())

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _call(self, kind: Any, name: str, request: Any) -> Any:
        client = self._node.create_client(kind, name)
        try:
            self.wait(client.service_is_ready, 120.0, f"service {name}")
            future = client.call_async(request)
            self.wait(future.done, 30.0, f"answer of {name}")
            return future.result()
        finally:
            self._node.destroy_client(client)

    def _on_sim(self, message: SimStatus) -> None:
        self.sim = message

    def _on_policy(self, message: PolicyStatus) -> None:
        self.policy = message
        if message.started and not message.moving:
            self.holds[message.reason_text] += 1

    def _on_chunk(self, message: ActionChunk) -> None:
        took_ns = nanoseconds(message.inference_end) - nanoseconds(message.inference_start)
        self.inference_ms.append(took_ns / 1e6)

    def _on_goal(self, _: PoseStamped) -> None:
        status = self.policy
        if status is not None and status.moving:
            self.goals += 1
            self.limited += status.reason == PolicyStatus.REASON_MOVING_LIMITED

    def _on_pose(self, arm: int, message: PoseStamped) -> None:
        point = message.pose.position
        here = np.array([point.x, point.y, point.z])
        if self._last_m[arm] is not None:
            self.path_m[arm] += float(np.linalg.norm(here - self._last_m[arm]))
        self._last_m[arm] = here
