# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Survey a running graph: listen to its topics for some seconds, and note who is at each."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from evla_ros.data.survey.contents import is_read
from evla_ros.data.survey.survey import Survey
from evla_ros.data.survey.topic import Endpoint, SeenTopic
from evla_ros.ros.callbacks import subscribe
from evla_ros.ros.lean_executor import LeanExecutor
from evla_ros.ros.message_types import message_class

DISCOVERY_S = 2.0
_LOOK_S = 0.5


def survey_graph(
    listen_s: float, namespace: str = "/", only: Collection[str] | None = None
) -> tuple[Survey, list[str]]:
    """Listen to a graph.

    Args:
        listen_s: For how long, after the time that discovery takes [s].
        namespace: Of the robot, for the names in `only`.
        only: The topics to listen to, relative or absolute; None: every topic of a known type.

    Returns:
        What was seen, and sentences about topics that could not be listened to.
    """
    context = rclpy.Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node(
        f"evla_survey_{os.getpid()}",
        context=context,
        namespace=namespace,
        start_parameter_services=False,
    )
    try:
        wanted = None if only is None else {node.resolve_topic_name(name) for name in only}
        listener = _Listener(node, wanted)
        _spin(node, context, listener, DISCOVERY_S + listen_s)
        return listener.survey(listen_s), listener.problems
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def _spin(node: Node, context: Any, listener: _Listener, seconds: float) -> None:
    executor = LeanExecutor(context=context)
    executor.add_node(node)
    look = node.create_timer(_LOOK_S, listener.look)
    listener.look()
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:
        executor.shutdown()
        thread.join()
        node.destroy_timer(look)


class _Listener:
    """Subscribes to topics as they appear."""

    def __init__(self, node: Node, wanted: Collection[str] | None) -> None:
        self._node, self._wanted = node, wanted
        self._topics: dict[str, SeenTopic] = {}
        self.problems: list[str] = []
        self._own = node.get_fully_qualified_name()

    def look(self) -> None:
        """Subscribe to what has appeared."""
        for name, types in self._node.get_topic_names_and_types():
            other = self._wanted is not None and name not in self._wanted
            if name in self._topics or not types or other:
                continue
            publishers = self._node.get_publishers_info_by_topic(name)
            kind = publishers[0].topic_type if publishers else types[0]
            topic = self._topics[name] = SeenTopic(name, kind)
            if publishers and (is_read(kind) or self._wanted is not None):
                self._subscribe(topic, publishers)
            elif not publishers:
                del self._topics[name]  # a publisher may come, with another type

    def survey(self, listen_s: float) -> Survey:
        """Return what was seen; of topics that were not listened to, who is at them."""
        for name, types in self._node.get_topic_names_and_types():
            if types:
                topic = self._topics.setdefault(name, SeenTopic(name, types[0]))
                topic.publishers = self._ends(self._node.get_publishers_info_by_topic(name))
                topic.subscribers = self._ends(self._node.get_subscriptions_info_by_topic(name))
        shown = {
            name: topic
            for name, topic in self._topics.items()
            if topic.publishers or topic.subscribers or topic.count
        }
        return Survey("the graph", True, listen_s, shown, self._actions())

    def _subscribe(self, topic: SeenTopic, publishers: Any) -> None:
        try:
            message = message_class(topic.type)
        except (ImportError, AttributeError) as error:
            self.problems.append(f"{topic.name}: {topic.type} cannot be heard here ({error})")
            return
        latched = any(
            p.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in publishers
        )
        reliable = latched or all(
            p.qos_profile.reliability == ReliabilityPolicy.RELIABLE for p in publishers
        )
        qos = QoSProfile(
            depth=100,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
            durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        )

        def take(data: bytes, info: Any) -> None:
            topic.take(info["received_timestamp"] or time.time_ns(), data)

        subscribe(self._node, message, topic.name, take, qos, raw=True)

    def _ends(self, infos: Any) -> list[Endpoint]:
        ends = []
        for info in infos:
            name = f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            if name != self._own:
                profile = info.qos_profile
                ends.append(
                    Endpoint(
                        name,
                        info.topic_type,
                        profile.reliability == ReliabilityPolicy.RELIABLE,
                        profile.durability == DurabilityPolicy.TRANSIENT_LOCAL,
                    )
                )
        return ends

    def _actions(self) -> dict[str, str]:
        """Return the actions that somebody serves, with their types."""
        found = {}
        for name, types in self._node.get_topic_names_and_types():
            ending = "/_action/feedback"
            if name.endswith(ending) and types and self._node.get_publishers_info_by_topic(name):
                found[name.removesuffix(ending)] = types[0].removesuffix("_FeedbackMessage")
        return found
