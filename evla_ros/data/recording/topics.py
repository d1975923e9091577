# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topics of a recorder, with their message counts, rates and clocks."""

from __future__ import annotations

from dataclasses import dataclass

from evla_ros.data.bags.definitions import Definition
from evla_ros.data.cdr import CdrError
from evla_ros.data.messages import HEADER_FIRST, header_stamp_ns
from evla_ros.data.recording.arrival_meter import ArrivalMeter
from evla_ros.data.recording.preflight import TopicHealth

SKEW_EVERY = 10


@dataclass(frozen=True)
class TopicSpec:
    """One topic to record.

    Attributes:
        name: The topic.
        type: Its message type, such as `sensor_msgs/msg/Image`.
        definition: The definition of the message type.
        qos: Its QoS in rosbag2's YAML.
        needed: Whether an episode without it is useless.
        latched: Whether a message stands until the next, so that each bag begins with the last one.
        floor_hz: The lowest acceptable rate; 0 for an irregular topic.
    """

    name: str
    type: str
    definition: Definition
    qos: str = ""
    needed: bool = False
    latched: bool = False
    floor_hz: float = 0.0


class RecordedTopic:
    """A topic with its live counters."""

    def __init__(self, spec: TopicSpec) -> None:
        self.spec = spec
        self.meter = ArrivalMeter(spec.floor_hz)
        self.channel = 0  # of the bag being written
        self.qos_problem = ""
        self.bytes = 0
        self.lost_transport = 0
        self._skew_ns: int | None = None
        self._sequence: int | None = None
        self._stamped = spec.type in HEADER_FIRST

    def observe(self, data: bytes, receive_ns: int, sequence: int | None) -> None:
        """Count one message and its sender's losses; its clock is checked now and then."""
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
        """Return the state that the check before a start needs."""
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
