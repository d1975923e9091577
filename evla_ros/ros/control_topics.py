# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Topics by which people and other nodes stop, hand over and instruct a robot.

Drivers, rqt, `ros2 topic pub` and other programs offer them with any quality of service, and a stop
button must be heard from all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, qos_check_compatible

from evla_ros.control.graph_watch import UnheardPublisher
from evla_ros.ros.callbacks import OnFailure, subscribe
from evla_ros.ros.graph import TopicPublisher, publishers_of
from evla_ros.ros.message_types import message_class
from evla_ros.ros.qos import every_sample, latched, reliable


class ControlTopic:
    """Hears every publisher of a topic, and what latched ones said before.

    Three subscriptions: best effort (any publisher), reliable (nothing is lost that its publisher
    sends again), latched (the last value of a publisher that keeps it for late joiners). Each
    hands over all that it gets, in the order it was sent, so that the newest message always comes
    last. Leaving out copies would end that: while publishers are being discovered, the reliable
    ones may bring older messages after the newest one has come best effort.
    """

    def __init__(
        self,
        node: Node,
        message_type: str,
        topic: str,
        callback: Callable[[Any], object],
        on_failure: OnFailure | None = None,
    ) -> None:
        """Subscribe.

        Args:
            node: Whose subscriptions they are.
            message_type: Such as `std_msgs/msg/Bool`.
            topic: Name, relative to the node's namespace.
            callback: Takes each message, up to three times; the same one twice must change nothing.
            on_failure: Told in one sentence when the callback raises, beside the log.
        """
        self._node, self._type = node, message_type
        self._profiles = (every_sample(10), reliable(), latched())
        kind = message_class(message_type)
        # That one of the three does not match is no news; `unheard` tells when none does.
        quiet = SubscriptionEventCallbacks(use_default_callbacks=False)
        self._subscriptions = [
            subscribe(node, kind, topic, callback, qos, on_failure, event_callbacks=quiet)
            for qos in self._profiles
        ]

    @property
    def topic(self) -> str:
        """The resolved topic name."""
        return str(self._subscriptions[0].topic_name)

    def unheard(self) -> list[UnheardPublisher]:
        """Return the publishers of the topic that none of the subscriptions matches."""
        found = []
        for publisher in publishers_of(self._node, self.topic):
            problem = self._problem(publisher)
            if problem:
                found.append(UnheardPublisher(self.topic, publisher.node, problem))
        return found

    def destroy(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _problem(self, publisher: TopicPublisher) -> str:
        if publisher.type != self._type:
            return f"type {publisher.type}, not {self._type}"
        answers = [qos_check_compatible(publisher.offer, asked) for asked in self._profiles]
        if any(fits != QoSCompatibility.ERROR for fits, _ in answers):
            return ""
        return str(answers[0][1]).strip().rstrip(";")
