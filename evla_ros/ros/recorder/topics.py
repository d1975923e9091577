# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Raw subscriptions to whatever is published: types found, quality of service adapted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.encode import encode_string
from evla_ros.data.bags.types import BagError
from evla_ros.data.recording.recorder import Recorder
from evla_ros.data.recording.topics import TopicSpec
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import STRING, Kind, Role, makes_column, streams_of
from evla_ros.ros.callbacks import OnFailure, subscribe
from evla_ros.ros.message_types import message_class
from evla_ros.ros.qos import latched

HIDDEN = ("/rosout", "/parameter_events")


@dataclass(frozen=True)
class RequestedTopic:
    """A topic to record.

    Attributes:
        name: Relative to the node's namespace.
        needed: Whether an episode needs it.
        floor_hz: Its lowest useful rate.
        stands: Whether a message holds until the next, however its publisher offers it.
        commanded: Whether actions are made of it, so that somebody has to publish it.
        wished: Whether its absence is said although an episode can do without it.
    """

    name: str
    needed: bool = False
    floor_hz: float = 0.0
    stands: bool = False
    commanded: bool = False
    wished: bool = False


def embodiment_topics(embodiment: Embodiment) -> list[RequestedTopic]:
    """Return every topic of the robot once, as demanding as the streams that it carries."""
    commanded = embodiment.action.source == "commanded"
    return [
        RequestedTopic(
            topic,
            needed=any(s.required or makes_column(s) for s in streams),
            floor_hz=max(s.rate_hz for s in streams),
            stands=any(s.key.kind is Kind.INSTRUCTION for s in streams),
            commanded=commanded and any(s.role is Role.GOAL for s in streams),
            wished=any(s.role is Role.RECORD for s in streams),
        )
        for topic, streams in streams_of(embodiment).by_topic().items()
    ]


def adapted_qos(publishers: Sequence[TopicEndpointInfo], depth: int) -> QoSProfile:
    """Return the strictest profile that matches every publisher, as `ros2 bag record` does."""
    profiles = [publisher.qos_profile for publisher in publishers]
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    durable = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=max(depth, len(publishers)),
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if durable else DurabilityPolicy.VOLATILE,
    )


def _latched(publisher: TopicEndpointInfo) -> bool:
    return bool(publisher.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL)


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


class _Subscribed(NamedTuple):
    """The subscriptions of a topic, and the quality of service that they were made for."""

    number: int
    subscriptions: list[Subscription]
    form: tuple[Any, ...]


class RecorderTopics:
    """Finds requested topics in the graph and feeds the recorder their raw bytes."""

    def __init__(
        self,
        node: Node,
        recorder: Recorder,
        requested: Sequence[RequestedTopic],
        *,
        everything: bool,
        depth: int,
        on_failure: OnFailure | None = None,
    ) -> None:
        """Learn what to look for; `on_failure` is told what went wrong with a message."""
        self._on_failure = on_failure
        self._node, self._recorder, self._depth = node, recorder, depth
        self._requested = {node.resolve_topic_name(w.name): w for w in requested}
        self._everything = everything
        self._subscriptions: dict[str, _Subscribed] = {}
        self._numbers: dict[str, int] = {}
        self._unusable: set[str] = set()
        self._type_problems: dict[int, str] = {}
        wanted = self._requested.items()
        recorder.needed = frozenset(name for name, want in wanted if want.needed)
        recorder.wished = frozenset(name for name, want in wanted if want.wished)
        recorder.commanded = frozenset(name for name, want in wanted if want.commanded)

    def discover(self) -> None:
        """Subscribe to what has appeared, and again where the publishers' quality has changed."""
        names = set(self._requested)
        if self._everything:
            own = self._node.get_fully_qualified_name() + "/"
            graph = (name for name, _ in self._node.get_topic_names_and_types())
            names |= {n for n in graph if n not in HIDDEN and not n.startswith(own)}
        for name in sorted(names - self._unusable):
            publishers = self._node.get_publishers_info_by_topic(name)
            if publishers:
                self._subscribe(name, publishers)

    def say_instruction(self, text: str) -> None:
        """Record an instruction as if its topic had carried it, with or without a publisher."""
        name = self._node.resolve_topic_name(self._recorder.embodiment.instruction.topic)
        number = self._numbers.get(name)
        if number is None:
            number = self._register(name, STRING, ())
        now_ns = int(self._node.get_clock().now().nanoseconds)
        self._recorder.on_message(number, encode_string(text), now_ns)

    def close(self) -> None:
        """End every subscription."""
        for subscribed in self._subscriptions.values():
            self._let_go(subscribed)
        self._subscriptions.clear()

    def _let_go(self, subscribed: _Subscribed) -> None:
        for subscription in subscribed.subscriptions:
            self._node.destroy_subscription(subscription)

    def _subscribe(self, name: str, publishers: Sequence[TopicEndpointInfo]) -> None:
        qos = adapted_qos(publishers, self._depth)
        some_latched = any(_latched(publisher) for publisher in publishers)
        missed = some_latched and qos.durability == DurabilityPolicy.VOLATILE
        form = (qos.reliability, qos.durability, missed)
        known = self._subscriptions.get(name)
        if known is not None:
            self._check_types(known.number, publishers)
        if known is not None and known.form == form:
            return
        number = self._numbers.get(name)
        message_type = publishers[0].topic_type
        if number is not None:
            message_type = self._recorder.topics[number].spec.type
        try:
            kind = message_class(message_type)
            if number is None:
                number = self._register(name, message_type, publishers)
        except (ImportError, AttributeError, BagError) as error:
            self._unusable.add(name)
            self._say_unusable(name, message_type, error)
            return
        if known is not None:
            self._let_go(known)
        self._recorder.topics[number].qos_problem = ""
        self._type_problems.pop(number, None)
        self._check_types(number, publishers)
        events = SubscriptionEventCallbacks(incompatible_qos=partial(self._on_mismatch, number))
        subscriptions = [self._listen(kind, name, self._callback(number), qos, events)]
        if missed:
            quiet = SubscriptionEventCallbacks(use_default_callbacks=False)
            hears = self._latched_callback(number)
            subscriptions.append(self._listen(kind, name, hears, latched(self._depth), quiet))
        self._subscriptions[name] = _Subscribed(number, subscriptions, form)

    def _say_unusable(self, name: str, message_type: str, error: Exception) -> None:
        """Say that a topic cannot be recorded; where it was asked for, the status says it too."""
        reason = f"is a {message_type}, which is not installed here ({error}); build or source it"
        self._recorder.unusable[name] = reason
        self._node.get_logger().warning(f"{name} is not recorded: it {reason}")
        if name in self._requested and self._on_failure is not None:
            self._on_failure(f"{name} {reason}")

    def _listen(
        self,
        kind: Any,
        name: str,
        callback: Callable[..., None],
        qos: QoSProfile,
        events: SubscriptionEventCallbacks,
    ) -> Subscription:
        fail = self._on_failure
        return subscribe(
            self._node, kind, name, callback, qos, fail, raw=True, event_callbacks=events
        )

    def _check_types(self, number: int, publishers: Sequence[TopicEndpointInfo]) -> None:
        """Say which publishers cannot be heard, for their messages are of another type."""
        topic = self._recorder.topics[number]
        others = sorted({p.topic_type for p in publishers} - {topic.spec.type})
        problem = ""
        if others:
            problem = (
                f"is published as {', '.join(others)} and recorded as {topic.spec.type} only; "
                "clean up and configure the recorder where the other is right"
            )
        if problem == self._type_problems.get(number, ""):
            return
        self._type_problems[number] = topic.qos_problem = problem
        if problem:
            sentence = f"{topic.spec.name} {problem}"
            self._node.get_logger().error(sentence)
            if self._on_failure is not None:
                self._on_failure(sentence)

    def _register(
        self, name: str, message_type: str, publishers: Sequence[TopicEndpointInfo]
    ) -> int:
        want = self._requested.get(name, RequestedTopic(name))
        durable = all(_latched(publisher) for publisher in publishers)
        spec = TopicSpec(
            name,
            message_type,
            definition_of(message_type),
            qos_yaml(publishers),
            want.needed,
            latched=durable or want.stands,
            floor_hz=want.floor_hz,
        )
        self._numbers[name] = self._recorder.add_topic(spec)
        return self._numbers[name]

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

    def _latched_callback(self, number: int) -> Callable[[bytes], None]:
        """Return what takes a latched message that no volatile subscription is sent.

        Once the topic speaks, the other subscription hears everything.
        """
        recorder, clock = self._recorder, self._node.get_clock()

        def on_latched(data: bytes) -> None:
            if recorder.topics[number].meter.count == 0:
                recorder.on_message(number, data, clock.now().nanoseconds)

        return on_latched

    def _on_mismatch(self, number: int, event: Any) -> None:
        topic = self._recorder.topics[number]
        policy = str(getattr(event, "last_policy_kind", "")).rsplit(".", 1)[-1]
        topic.qos_problem = f"a publisher offers incompatible quality of service ({policy})"
