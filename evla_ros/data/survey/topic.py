# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One topic as it was seen: who is at it, how often messages come, and what is in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from evla_ros.data.messages import HEADER_FIRST, header_stamp_ns
from evla_ros.data.survey.contents import Contents, contents_of
from evla_ros.errors import EvlaError
from evla_ros.units import SECOND_NS


class Endpoint(NamedTuple):
    """A publisher or a subscriber.

    Attributes:
        node: full name; empty where a bag does not say it.
        type: message type.
        reliable: None where it is not known.
        latched: transient local; None where it is not known.
    """

    node: str
    type: str
    reliable: bool | None = None
    latched: bool | None = None


@dataclass
class SeenTopic:
    """What was seen of one topic; `publishers` and `subscribers` are empty for a bag."""

    name: str
    type: str
    publishers: list[Endpoint] = field(default_factory=list)
    subscribers: list[Endpoint] = field(default_factory=list)
    count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    largest_gap_ns: int = 0
    unstamped: int = 0
    frames: Counter[str] = field(default_factory=Counter)
    problem: str = ""  # why a message could not be read, the first time
    problems: int = 0
    contents: Contents | None = None
    _delays_ns: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contents = contents_of(self.type)

    def take(self, receive_ns: int, data: bytes) -> None:
        """Take one message as raw CDR bytes."""
        if self.count:
            self.largest_gap_ns = max(self.largest_gap_ns, receive_ns - self.last_ns)
        else:
            self.first_ns = receive_ns
        self.last_ns, self.count = receive_ns, self.count + 1
        try:
            stamp_ns = header_stamp_ns(data) if self.type in HEADER_FIRST else 0
            if self.type in HEADER_FIRST:
                self.unstamped += not stamp_ns
                if stamp_ns:
                    self._delays_ns.append(receive_ns - stamp_ns)
            if self.contents is not None:
                frame = self.contents.take(stamp_ns or receive_ns, data)
                if frame is not None:
                    self.frames[frame] += 1
        except EvlaError as error:
            self.problem, self.problems = self.problem or str(error), self.problems + 1

    @property
    def rate_hz(self) -> float:
        """Messages per second between the first and the last; 0 for fewer than two."""
        span_s = (self.last_ns - self.first_ns) / SECOND_NS
        return (self.count - 1) / span_s if self.count > 1 and span_s > 0.0 else 0.0

    @property
    def gap_s(self) -> float:
        """The longest pause between two messages [s]."""
        return self.largest_gap_ns / SECOND_NS

    @property
    def delay_s(self) -> float | None:
        """The median of arrival minus stamp [s]; None without stamps."""
        return float(np.median(self._delays_ns)) / SECOND_NS if self._delays_ns else None
