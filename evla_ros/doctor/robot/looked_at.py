# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One stream of the file beside the topic that it names, and what was found wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from evla_ros.data.convert.bag_streams import find_topic
from evla_ros.data.survey.survey import Survey
from evla_ros.data.survey.topic import SeenTopic
from evla_ros.doctor.finding import Status
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import Stream


class Problem(NamedTuple):
    """seen: what is wrong, with its value. fix: what mends it."""

    seen: str
    fix: str
    status: Status = "red"


@dataclass(frozen=True)
class LookedAt:
    """A stream, its topic by its full name, and what was seen of that; None: nothing."""

    embodiment: Embodiment
    survey: Survey
    stream: Stream
    topic: str
    seen: SeenTopic | None

    @property
    def name(self) -> str:
        """What reports call it, such as `camera primary`."""
        kind, name = self.stream.key
        return f"{kind.value} {name}".strip()


def look_at(embodiment: Embodiment, survey: Survey, stream: Stream, namespace: str) -> LookedAt:
    """Return a stream with its topic; a bag's topics may lie in any namespace.

    Raises:
        EvlaError: Two namespaces of a bag both have the topic.
    """
    name = stream.topic
    if not name.startswith("/"):
        name = f"/{namespace.strip('/')}/{name}" if namespace.strip("/") else f"/{name}"
    if not survey.live:
        carried = [topic for topic, seen in survey.topics.items() if seen.count]
        name = find_topic(stream.topic, carried) or name
    return LookedAt(embodiment, survey, stream, name, survey.topics.get(name))
