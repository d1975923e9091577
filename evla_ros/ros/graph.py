# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which nodes publish a topic, by their full names, and what of that concerns a robot.

Asking for the publishers of one topic takes about 0.1 ms: not in a goal loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.topic_endpoint_info import TopicEndpointInfo

from evla_ros.control.graph_watch import GraphWatch, UnheardPublisher
from evla_ros.embodiment.streams import JOINT_STATE, TF_MESSAGE, Kind, StreamTable

LOOK_S = 0.5
_NOT_YET = "_NODE_NAME_UNKNOWN_"  # the middleware hears of a topic's end before its node


class TopicPublisher(NamedTuple):
    """One publisher; node: full name, type: `std_msgs/msg/Bool`, offer: its quality of service."""

    node: str
    type: str
    offer: QoSProfile


def publishers_of(node: Node, topic: str) -> list[TopicPublisher]:
    """Return every publisher of a topic; a node with two publishers is there twice."""
    return [
        TopicPublisher(_name_of(info), info.topic_type, info.qos_profile)
        for info in node.get_publishers_info_by_topic(topic)
    ]


def _name_of(info: TopicEndpointInfo) -> str:
    if info.node_name == _NOT_YET:
        return "a node whose name is not known yet"
    return f"{info.node_namespace.rstrip('/')}/{info.node_name}"


def other_publishers(node: Node, topic: str) -> list[str]:
    """Return the nodes that publish a topic of ours, without our own one publisher.

    A namesake of this node is among them.
    """
    names = [publisher.node for publisher in publishers_of(node, topic)]
    own = node.get_fully_qualified_name()
    if own in names:
        names.remove(own)
    return names


@dataclass(frozen=True)
class GraphView:
    """What was there at one time; topics and nodes by their full names.

    Attributes:
        unheard: Publishers of control topics that cannot be heard.
        poses: Per topic, every publisher of a measured pose.
        rivals: Per goal topic, the other nodes that publish goals and do not announce themselves.
        listeners: Per goal topic and gripper command, how many take it.
        listening: Whether publishers of control topics may still be unknown.
    """

    unheard: Sequence[UnheardPublisher] = ()
    poses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rivals: Mapping[str, Sequence[str]] = field(default_factory=dict)
    listeners: Mapping[str, int] = field(default_factory=dict)
    listening: bool = False

    def tell(self, watch: GraphWatch) -> bool:
        """Hand everything over; returns whether something changed."""
        changed = [watch.set_unheard(self.unheard)]
        changed += [watch.set_pose_publishers(*item) for item in self.poses.items()]
        changed += [watch.set_rival_goal_publishers(*item) for item in self.rivals.items()]
        changed += [watch.set_listeners(*item) for item in self.listeners.items()]
        changed.append(watch.set_listening(self.listening))
        return any(changed)


def pose_publishers(node: Node, streams: StreamTable) -> dict[str, list[str]]:
    """Return the nodes that publish each measured pose, the odometry, an axis's own topic.

    TF and joint states have many publishers by design.
    """
    measured = [s for s in streams if s.key.kind in (Kind.POSE, Kind.ODOMETRY, Kind.AXIS)]
    return {
        topic: [found.node for found in publishers_of(node, topic) if found.type == stream.type]
        for stream in measured
        if stream.type not in (TF_MESSAGE, JOINT_STATE)
        for topic in [node.resolve_topic_name(stream.topic)]
    }
