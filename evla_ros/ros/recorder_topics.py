# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Raw subscriptions to whatever is published: types found, quality of service adapted."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.types import BagError
from evla_ros.data.recording.recorder import Recorder
from evla_ros.data.recording.topics import TopicSpec
from evla_ros.embodiment import Embodiment

HIDDEN = ("/rosout", "/parameter_events")


@dataclass(frozen=True)
class Wanted:
    """A topic to record: relative name, whether an episode needs it, its lowest useful rate."""

    name: str
    needed: bool = False
    floor_hz: float = 0.0


def embodiment_topics(embodiment: Embodiment) -> list[Wanted]:
    """Return every topic that the embodiment file names."""
    rate = embodiment.rate_hz
    wanted = [Wanted(c.topic, True, rate) for c in embodiment.cameras.values()]
    for arm in embodiment.arms:
        if arm.pose.topic is not None:
            wanted.append(Wanted(arm.pose.topic, True, rate))
        else:
            wanted += [Wanted("/tf", True, rate), Wanted("/tf_static")]
        wanted.append(Wanted(arm.goal.topic))
        if arm.gripper is not None:
            wanted.append(Wanted(arm.gripper.state, True, rate))
            wanted.append(Wanted(arm.gripper.command))
    joints = "joint_positions" in embodiment.proprio
    wanted.append(Wanted(embodiment.joint_states, joints, rate if joints else 0.0))
    wanted += [Wanted(embodiment.instruction.topic), Wanted(embodiment.estop.topic)]
    return list(dict.fromkeys(wanted))


def adapted_qos(publishers: Sequence[TopicEndpointInfo], depth: int) -> QoSProfile:
    """Return the strictest profile that matches every publisher, as `ros2 bag record` does."""
    profiles = [publisher.qos_profile for publisher in publishers]
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=max(depth, len(publishers)),
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def qos_yaml(publishers: Sequence[TopicEndpointInfo]) -> str:
    """Return the offered profiles in the form of rosbag2's metadata (version 8 and older)."""
    lines = []
    for publisher in publishers:
        profile = publisher.qos_profile
        lines += [
            f"- history: {int(profile.history)}",
            f"  depth: {profile.depth}",
            f"  reliability: {int(profile.reliability)}",
            f"  durability: {int(profile.durability)}",
            *(f"  {name}:\n    sec: 0\n    nsec: 0" for name in ("deadline", "lifespan")),
            "  liveliness: 1",
            "  liveliness_lease_duration:\n    sec: 0\n    nsec: 0",
            "  avoid_ros_namespace_conventions: false",
        ]
    return "\n".join(lines)


def message_class(message_type: str) -> Any:
    """Return the Python class of `sensor_msgs/msg/Image`; ImportError when it is not installed."""
    package, kind, name = message_type.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), name)


class RecorderTopics:
    """Finds wanted topics in the graph and feeds the recorder their raw bytes."""

    def __init__(
        self,
        node: Node,
        recorder: Recorder,
        wanted: Sequence[Wanted],
        *,
        everything: bool,
        depth: int,
    ) -> None:
        self._node, self._recorder, self._depth = node, recorder, depth
        self._wanted = {node.resolve_topic_name(w.name): w for w in wanted}
        self._everything = everything
        self._subscriptions: dict[str, tuple[int, Any, tuple[Any, ...]]] = {}
        self._unusable: set[str] = set()
        needed = (name for name, want in self._wanted.items() if want.needed)
        recorder.needed = frozenset(needed)

    def discover(self) -> None:
        """Subscribe to what has appeared, and again where the publishers' quality has changed."""
        names = set(self._wanted)
        if self._everything:
            own = self._node.get_fully_qualified_name() + "/"
            graph = (name for name, _ in self._node.get_topic_names_and_types())
            names |= {n for n in graph if n not in HIDDEN and not n.startswith(own)}
        for name in sorted(names - self._unusable):
            publishers = self._node.get_publishers_info_by_topic(name)
            if publishers:
                self._subscribe(name, publishers)

    def close(self) -> None:
        """End every subscription."""
        for _, subscription, _ in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _subscribe(self, name: str, publishers: Sequence[TopicEndpointInfo]) -> None:
        qos = adapted_qos(publishers, self._depth)
        form = (qos.reliability, qos.durability)
        known = self._subscriptions.get(name)
        if known is not None and known[2] == form:
            return
        types = {publisher.topic_type for publisher in publishers}
        message_type = publishers[0].topic_type
        try:
            kind = message_class(message_type)
            number = known[0] if known else self._register(name, message_type, publishers)
        except (ImportError, AttributeError, BagError) as error:
            self._unusable.add(name)
            self._node.get_logger().warning(f"{name} is not recorded: {error}")
            return
        if known is not None:
            self._node.destroy_subscription(known[1])
        topic = self._recorder.topics[number]
        topic.qos_problem = "" if len(types) == 1 else f"published with {len(types)} types"
        events = SubscriptionEventCallbacks(incompatible_qos=partial(self._on_mismatch, number))
        subscription = self._node.create_subscription(
            kind, name, self._callback(number), qos, raw=True, event_callbacks=events
        )
        self._subscriptions[name] = (number, subscription, form)

    def _register(
        self, name: str, message_type: str, publishers: Sequence[TopicEndpointInfo]
    ) -> int:
        want = self._wanted.get(name, Wanted(name))
        durable = [p.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in publishers]
        spec = TopicSpec(
            name,
            message_type,
            definition_of(message_type),
            qos_yaml(publishers),
            want.needed,
            latched=all(durable),
            floor_hz=want.floor_hz,
        )
        return self._recorder.add_topic(spec)

    def _callback(self, number: int) -> Callable[[bytes, dict[str, int]], None]:
        recorder, clock = self._recorder, self._node.get_clock()
        simulated = bool(self._node.get_parameter("use_sim_time").value)

        def on_raw(data: bytes, info: dict[str, int]) -> None:
            received = clock.now().nanoseconds if simulated else info["received_timestamp"]
            received = received or clock.now().nanoseconds
            sent = received if simulated else info["source_timestamp"] or received
            sequence = info.get("publication_sequence_number")
            recorder.on_message(number, data, received, sent, sequence)

        return on_raw

    def _on_mismatch(self, number: int, event: Any) -> None:
        topic = self._recorder.topics[number]
        policy = str(getattr(event, "last_policy_kind", "")).rsplit(".", 1)[-1]
        topic.qos_problem = f"a publisher offers incompatible quality of service ({policy})"
