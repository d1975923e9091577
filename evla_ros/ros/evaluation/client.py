# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The referee's node: what it hears of robot and policy, and what it may ask of them."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from std_srvs.srv import Trigger

from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import POSE_STAMPED, Kind, streams_of
from evla_ros.errors import EvlaError
from evla_ros.msg import ActionChunk, PolicyStatus, SimStatus
from evla_ros.ros.message_types import message_class
from evla_ros.ros.pose_conversion import nanoseconds
from evla_ros.ros.qos import every_sample, latched, reliable
from evla_ros.srv import ResetSim

if TYPE_CHECKING:
    from typing_extensions import Self


class EvaluationClient:
    """Hears the simulated robot and the policy, and may ask for nothing but reset, start and stop.

    A context manager, which leaves the graph at its end.

    Attributes:
        sim: newest status of the robot; None before the first.
        policy: newest status of the policy; None before the first.
        goals: goals that the policy has sent since `clear`.
        limited: how many of these a limit changed.
        holds: status messages of a started policy that did not move, by its reason.
        inference_ms: wall time of each inference.
        path_m: way of each tool, [arms] in metres.
    """

    def __init__(self, namespace: str, embodiment: Embodiment, check: Callable[[], None]) -> None:
        """Join the graph.

        Args:
            namespace: namespace of the nodes.
            embodiment: the robot.
            check: raises when a process of the evaluation has ended; called while waiting.
        """
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
        streams = streams_of(embodiment)
        for i, pose in enumerate(streams.of_kind(Kind.POSE)):
            if pose.type == POSE_STAMPED:
                on_pose = partial(self._on_pose, i)
                node.create_subscription(PoseStamped, pose.topic, on_pose, every_sample())
        first = streams.of_kind(Kind.GOAL)[0]
        kind = message_class(first.type)
        node.create_subscription(kind, first.topic, self._on_goal, every_sample())

    def clear(self) -> None:
        """Forget the episode."""
        self.goals = self.limited = 0
        self.holds: Counter[str] = Counter()
        self.inference_ms: list[float] = []
        self.path_m = np.zeros(self._arms)
        self._last_m: list[Any] = [None] * self._arms

    def wait(self, condition: Callable[[], bool], limit_s: float, what: str) -> None:
        """Listen until a condition holds.

        Raises:
            EvlaError: it does not within `limit_s` seconds of real time; the sentence names `what`.
        """
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
        """Let the policy move; returns the service's answer."""
        return self._call(Trigger, "policy/start", Trigger.Request())

    def start_within(self, limit_s: float) -> str:
        """Let the policy move, asking once a second; returns why it does not, '' when it does."""
        refusal = ""
        for _ in range(round(limit_s)):
            answer = self.start()
            if answer.success:
                return ""
            refusal = str(answer.message)
            with contextlib.suppress(EvlaError):
                self.wait(lambda: False, 1.0, "")
        return refusal

    @property
    def elapsed_s(self) -> float:
        """Simulated time since the reset [s]."""
        return float(self.sim.elapsed_s) if self.sim is not None else 0.0

    def stop(self) -> Any:
        """Stop the policy."""
        return self._call(Trigger, "policy/stop", Trigger.Request())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    def _on_goal(self, _: object) -> None:
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
