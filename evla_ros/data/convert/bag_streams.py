# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the topics of a bag that carry the streams of the embodiment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from evla_ros.data.alignment.aligner import StreamRule
from evla_ros.data.bags.types import TopicInfo
from evla_ros.data.codecs.numbers import is_stamped
from evla_ros.data.convert.extra_columns import ExtraColumn
from evla_ros.data.messages import HEADER_FIRST
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import Kind, Role, Stream, is_reported, streams_of
from evla_ros.errors import EvlaError, nearest
from evla_ros.units import SECOND_NS

EVENT_TYPE = "evla_ros/msg/EpisodeEvent"


class BagStreamError(EvlaError):
    """The bag lacks a topic that the embodiment needs, or has it with another type."""


@dataclass(frozen=True)
class BagStream:
    """One stream of the embodiment, its topic in the bag, and what the bag says of its type."""

    stream: Stream
    topic: str
    definition: str = ""

    @property
    def rule(self) -> StreamRule:
        """How fresh the aligner wants this stream, and whether it is required."""
        age_s = self.stream.max_age_s
        tolerance_ns = None if age_s is None else round(age_s * SECOND_NS)
        return StreamRule(tolerance_ns, self.stream.required)

    @cached_property
    def stamped(self) -> bool:
        """Whether its messages begin with a header."""
        extra = self.stream.key.kind is Kind.EXTRA
        return self.stream.type in HEADER_FIRST or (
            extra and is_stamped(self.stream.type, self.definition)
        )


def find_topic(name: str, topics: Collection[str]) -> str | None:
    """Return the bag's topic for a relative name of the embodiment file, in whatever namespace.

    Returns:
        The full topic name, or None when the bag has no such topic.

    Raises:
        BagStreamError: Two namespaces of the bag both have the topic.
    """
    plain = "/" + name.lstrip("~/")
    if plain in topics:
        return plain
    ends = sorted(topic for topic in topics if topic.endswith(plain))
    if len(ends) > 1:
        raise BagStreamError(
            f"topic {name!r} fits {', '.join(ends)}; write the full name into the embodiment file"
        )
    return ends[0] if ends else None


def find_streams(
    embodiment: Embodiment,
    topics: Mapping[str, TopicInfo],
    source: str,
    extras: Sequence[ExtraColumn] = (),
) -> list[BagStream]:
    """Return the streams that a conversion reads.

    Args:
        embodiment: The robot.
        topics: The topics of the bag, by name.
        source: What actions are made of, `commanded` or `achieved`. A bag without goals has no
            commanded actions, so `commanded` requires the goal topics.
        extras: The columns of what is recorded beside; each of them is required.

    Raises:
        BagStreamError: A topic is missing (all of them are listed) or has another type.
    """
    found: list[BagStream] = []
    missing: list[str] = []
    columns = [_column(streams_of(embodiment).get(Kind.EXTRA, e.name), e.type) for e in extras]
    for stream in [*filter(is_read, streams_of(embodiment)), *columns]:
        topic = find_topic(stream.topic, topics)
        if topic is not None:
            _check_type(stream, topics[topic])
            found.append(BagStream(stream, topic, topics[topic].definition))
        elif _is_needed(stream, source):
            missing.append(stream.topic)
    if missing:
        told = {one.topic for one in extras}
        hints = "; ".join(f"{n}: {nearest('/' + n.lstrip('/'), topics)}" for n in missing[:4])
        goals = {stream.topic for stream in streams_of(embodiment) if stream.role is Role.GOAL}
        if goals.issuperset(missing):
            hints += (
                "; actions are made of goals here (action.source: commanded), --action-source "
                "achieved makes them of the measured poses"
            )
        if told.intersection(missing):
            hints += "; what `record` asks for makes a column: `column: none` does without it"
        raise BagStreamError(
            f"the bag lacks {len(missing)} topic(s) of embodiment {embodiment.name!r} "
            f"({', '.join(missing)}). {hints}"
        )
    return found


def _column(stream: Stream, message_type: str) -> Stream:
    """Return the row of a recorded topic that becomes a column: every step needs it."""
    return replace(stream, type=message_type, required=True)


def events_topic(topics: Mapping[str, TopicInfo]) -> str | None:
    """Return the topic of the recorder's episode events, or None when the bag has none."""
    return next((topic.name for topic in topics.values() if topic.type == EVENT_TYPE), None)


def is_read(stream: Stream) -> bool:
    """Return whether a dataset stores something from this stream."""
    told = stream.role in (Role.GOAL, Role.COMMAND)
    return stream.required or told or stream.key.kind is Kind.INSTRUCTION or is_reported(stream)


def _is_needed(stream: Stream, source: str) -> bool:
    if stream.required or is_reported(stream):
        return True
    return _makes_actions(stream) and source == "commanded"


def _makes_actions(stream: Stream) -> bool:
    """Return whether commanded actions cannot do without it; a gripper's can be measured."""
    return stream.role is Role.GOAL or stream.key.kind in (Kind.BASE_COMMAND, Kind.AXIS_COMMAND)


def _check_type(stream: Stream, topic: TopicInfo) -> None:
    if topic.encoding not in ("cdr", ""):
        raise BagStreamError(
            f"topic {topic.name} is encoded as {topic.encoding!r}; only cdr, ROS 2's, can be read"
        )
    if topic.type != stream.type:
        raise BagStreamError(
            f"topic {topic.name} is a {topic.type}, {_who_says(stream)} {stream.type}"
        )


def _who_says(stream: Stream) -> str:
    extra = stream.key.kind is Kind.EXTRA
    return "the first bag has it as a" if extra else "the embodiment says"
