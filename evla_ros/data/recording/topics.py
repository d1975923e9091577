# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics of a recorder: what they are, how they do, what is known about their clocks."""

from __future__ import annotations

from dataclasses import dataclass

from evla_ros.data.bags.definitions import Definition
from evla_ros.data.cdr import CdrError
from evla_ros.data.messages import HEADER_FIRST, header_stamp_ns
from evla_ros.data.recording.preflight import TopicHealth
from evla_ros.data.recording.rate_meter import RateMeter

SKEW_EVERY = 10


@dataclass(frozen=True)
class TopicSpec:
    """One topic to record. needed: an episode without it is useless. floor_hz: 0 when irregular."""

    name: str
    type: str
    definition: Definition
    qos: str = ""
    needed: bool = False
    latched: bool = False
    floor_hz: float = 0.0


class RecordedTopic:
    """A topic and its live numbers."""

    def __init__(self, spec: TopicSpec) -> None:
        self.spec = spec
        self.meter = RateMeter(spec.floor_hz)
        self.channel = 0  # of the bag being written
        self.qos_problem = ""
        self.bytes = 0
        self.lost_transport = 0
        self._skew_ns: int | None = None
        self._sequence: int | None = None
        self._stamped = spec.type in HEADER_FIRST

    def observe(self, data: bytes, receive_ns: int, sequence: int | None) -> None:
        """Count one message, its loss before us, and now and then its clock."""
        self.meter.observe(receive_ns)
        self.bytes += len(data)
        if sequence is not None and sequence > 0:
            if self._sequence is not None and sequence > self._sequence + 1:
                self.lost_transport += sequence - self._sequence - 1
            self._sequence = sequence
        if self._stamped and self.meter.count % SKEW_EVERY == 1:
            try:
                stamp = header_stamp_ns(data)
            except CdrError:
                return
            self._skew_ns = receive_ns - stamp if stamp else None

    def reset_episode(self) -> None:
        """Begin the counts of a new episode."""
        self.meter.reset_episode()
        self.bytes = 0
        self.lost_transport = 0

    def health(self, now_ns: int) -> TopicHealth:
        """Return what the pre-flight asks."""
        skew = None if self._skew_ns is None else self._skew_ns / 1e9
        return TopicHealth(
            self.spec.name,
            self.spec.needed,
            self.meter.state(now_ns),
            self.meter.rate_hz(now_ns),
            self.meter.expected_hz,
            skew,
            self.qos_problem,
        )
