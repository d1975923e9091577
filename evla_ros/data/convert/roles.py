# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topic of a bag plays which role of the embodiment: `camera:primary`, `pose:arm`, ..."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from evla_ros.data.alignment.aligner import StreamRule
from evla_ros.data.bags.types import TopicInfo
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError, nearest

EVENT_TYPE = "evla_ros/msg/EpisodeEvent"
NANOSECONDS = 1_000_000_000


class RoleError(EvlaError):
    """The bag lacks a topic that the embodiment needs, or has it with another type."""


@dataclass(frozen=True)
class Role:
    """One stream: its key in the aligner, its topic in the bag, its message type and rule."""

    key: str
    topic: str
    type: str
    rule: StreamRule


def find_topic(name: str, topics: Collection[str]) -> str | None:
    """Return the bag's topic for a relative name of the embodiment file, whatever its namespace.

    Raises RoleError when two namespaces both have it.
    """
    plain = "/" + name.lstrip("~/")
    if plain in topics:
        return plain
    ends = sorted(topic for topic in topics if topic.endswith(plain))
    if len(ends) > 1:
        raise RoleError(
            f"topic {name!r} fits {', '.join(ends)}; write the full name into the embodiment file"
        )
    return ends[0] if ends else None


def find_roles(embodiment: Embodiment, topics: Mapping[str, TopicInfo], source: str) -> list[Role]:
    """Return the roles of a bag; RoleError lists every topic that is missing."""
    finder = _Finder(topics)
    for name, camera in embodiment.cameras.items():
        kind = "Image" if camera.transport == "raw" else "CompressedImage"
        types = (f"sensor_msgs/msg/{kind}",)
        finder.need(f"camera:{name}", camera.topic, types, camera.max_age_s)
    for arm in embodiment.arms:
        if arm.pose.topic is not None:
            types = ("geometry_msgs/msg/PoseStamped",)
            finder.need(f"pose:{arm.name}", arm.pose.topic, types, arm.pose.max_age_s)
        else:
            finder.need(f"tf:{arm.name}", "tf", ("tf2_msgs/msg/TFMessage",), arm.pose.max_age_s)
        goal_types = ("geometry_msgs/msg/PoseStamped",)
        wanted = finder.need if source == "commanded" else finder.want
        wanted(f"goal:{arm.name}", arm.goal.topic, goal_types, arm.pose.max_age_s, False)
        if arm.gripper is not None:
            gripper = arm.gripper
            state = "Float64" if gripper.state_type == "float64" else "JointState"
            package = "std_msgs" if state == "Float64" else "sensor_msgs"
            types = (f"{package}/msg/{state}",)
            finder.need(f"gripper:{arm.name}", gripper.state, types, gripper.max_age_s)
            command = "Float64" if gripper.command_type == "float64" else "Float64MultiArray"
            types = (f"std_msgs/msg/{command}",)
            finder.want(f"command:{arm.name}", gripper.command, types, None, False)
    if "joint_positions" in embodiment.proprio:
        types = ("sensor_msgs/msg/JointState",)
        finder.need("joints", embodiment.joint_states, types, 0.5)
    finder.want("instruction", embodiment.instruction.topic, ("std_msgs/msg/String",), None, False)
    finder.want_type("events", EVENT_TYPE)
    return finder.result(embodiment)


class _Finder:
    def __init__(self, topics: Mapping[str, TopicInfo]) -> None:
        self._topics = topics
        self._roles: list[Role] = []
        self._missing: list[str] = []

    def need(
        self,
        key: str,
        name: str,
        types: tuple[str, ...],
        max_age_s: float | None,
        required: bool = True,
    ) -> None:
        if not self.want(key, name, types, max_age_s, required):
            self._missing.append(name)

    def want(
        self,
        key: str,
        name: str,
        types: tuple[str, ...],
        max_age_s: float | None,
        required: bool = True,
    ) -> bool:
        topic = find_topic(name, self._topics)
        if topic is None:
            return False
        kind = self._topics[topic].type
        if kind not in types:
            raise RoleError(f"topic {topic} is a {kind}, the embodiment says {' or '.join(types)}")
        tolerance = None if max_age_s is None else round(max_age_s * NANOSECONDS)
        self._roles.append(Role(key, topic, kind, StreamRule(tolerance, required)))
        return True

    def want_type(self, key: str, kind: str) -> None:
        for topic in self._topics.values():
            if topic.type == kind:
                self._roles.append(Role(key, topic.name, kind, StreamRule(None, required=False)))
                return

    def result(self, embodiment: Embodiment) -> list[Role]:
        if self._missing:
            hints = "; ".join(f"{n}: {nearest('/' + n, self._topics)}" for n in self._missing[:4])
            raise RoleError(
                f"the bag lacks {len(self._missing)} topic(s) of embodiment {embodiment.name!r} "
                f"({', '.join(self._missing)}). {hints}"
            )
        return self._roles
