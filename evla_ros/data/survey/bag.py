# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Survey a bag: every message is counted, and those of known types are looked into."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from evla_ros.data.bags.reader import open_bag
from evla_ros.data.bags.types import BagError, TopicInfo
from evla_ros.data.survey.survey import Survey
from evla_ros.data.survey.topic import Endpoint, SeenTopic
from evla_ros.units import SECOND_NS

EVERY = 256  # messages between two reports of how far the reading has come


def survey_bag(path: Path, progress: Callable[[int, int], None] | None = None) -> Survey:
    """Return what a bag shows.

    Args:
        path: The bag.
        progress: Called with (messages read, messages in all, 0 where nobody has counted them).

    Raises:
        BagError: It cannot be opened, or has no message.
    """
    with open_bag(path) as bag:
        topics = {name: _topic(info) for name, info in bag.info.topics.items()}
        try:
            total = sum(info.count or 0 for info in bag.info.topics.values())
            for number, message in enumerate(bag.messages()):
                if progress is not None and number % EVERY == 0:
                    progress(number, total)
                topics[message.topic].take(message.receive_ns, message.data)
        except BagError:
            if not any(topic.count for topic in topics.values()):
                raise
    seen = [topic for topic in topics.values() if topic.count]
    if not seen:
        raise BagError(f"{path} holds no message")
    span_ns = max(t.last_ns for t in seen) - min(t.first_ns for t in seen)
    return Survey(f"bag {path.name}", False, span_ns / SECOND_NS, topics)


def _topic(info: TopicInfo) -> SeenTopic:
    topic = SeenTopic(info.name, info.type)
    topic.publishers = [
        Endpoint("", info.type, reliable, latched) for reliable, latched in _offers(info.qos)
    ]
    return topic


def _offers(qos: str) -> list[tuple[bool | None, bool | None]]:
    """Return reliability and durability per publisher, from a bag's YAML of offered profiles."""
    reliable = re.findall(r"reliability: *(\w+)", qos)
    latched = re.findall(r"durability: *(\w+)", qos)
    return [
        (r in ("1", "reliable"), d in ("1", "transient_local"))
        for r, d in zip(reliable, latched, strict=False)
    ]
