# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was seen of a robot as a whole, from a bag or from a running graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from evla_ros.data.survey.contents import Transforms
from evla_ros.data.survey.tf_frames import TfTree
from evla_ros.data.survey.topic import SeenTopic


@dataclass(frozen=True)
class Survey:
    """Topics by their full names.

    Attributes:
        source: what was looked at, for sentences, such as `the graph` or `bag run_3`.
        live: whether publishers and subscribers are known.
        span_s: how long was listened, or how long the bag is [s].
        topics: by full name.
        actions: action servers by full name, with their types; only of a graph.
    """

    source: str
    live: bool
    span_s: float
    topics: Mapping[str, SeenTopic]
    actions: Mapping[str, str] = field(default_factory=dict)

    def of_type(self, *types: str) -> Iterator[SeenTopic]:
        """Yield the topics of these types, by name."""
        for name in sorted(self.topics):
            if self.topics[name].type in types:
                yield self.topics[name]

    @cached_property
    def tf(self) -> TfTree:
        """The frames of /tf and /tf_static."""
        parts = []
        for name in ("/tf", "/tf_static"):
            topic = self.topics.get(name)
            contents = topic.contents if topic is not None else None
            parts.append(contents.frames if isinstance(contents, Transforms) else None)
        return TfTree(*parts)
