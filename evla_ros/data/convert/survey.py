# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read a bag once for its times alone, before it is converted: clocks, order and rhythms."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from evla_ros.data.bags.types import Bag, BagMessage, WriteOrder
from evla_ros.data.cdr import CdrError
from evla_ros.data.clocks.steps import receive_steps
from evla_ros.data.clocks.track import IntArray, Track
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.convert.bag_streams import BagStream
from evla_ros.data.convert.readers import Reader, TfReader, is_transformed, reader_of
from evla_ros.data.messages import header_stamp_ns
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import JOINT_STATE, Kind
from evla_ros.units import SECOND_NS

LEAST_DISORDER_NS = SECOND_NS // 100


@dataclass
class StreamSurvey:
    """The times of one stream.

    Attributes:
        topic: Its topic in the bag.
        stamped: Whether its messages have a header.
        track: Messages with a stamp, in the order in which they were recorded.
        messages: All messages about the stream.
        zero_stamps: Messages of a stamped stream with the stamp 0.
        valued: Whether values were compared, which is done for grippers.
        repeated: Messages that repeat the value before.
        largest_gap_s: The longest time between two messages [s].
    """

    topic: str
    stamped: bool
    track: Track
    messages: int = 0
    zero_stamps: int = 0
    valued: bool = False
    repeated: int = 0
    largest_gap_s: float = 0.0

    @property
    def on_change(self) -> bool:
        """Whether messages come only when the value changes."""
        return self.valued and self.messages > 0 and self.repeated * 5 <= self.messages

    @property
    def unstamped(self) -> bool:
        """Whether nobody fills in the header stamps."""
        return self.stamped and self.messages > 0 and self.zero_stamps == self.messages


@dataclass
class Survey:
    """The times of a recording.

    Attributes:
        streams: By the stream's key as text.
        written: How the messages lie in the files.
        messages: Messages that were read.
    """

    streams: dict[str, StreamSurvey] = field(default_factory=dict)
    written: WriteOrder = field(default_factory=WriteOrder)
    messages: int = 0

    @property
    def tracks(self) -> dict[str, Track]:
        """The streams whose messages have stamps."""
        return {name: s.track for name, s in self.streams.items() if len(s.track)}


def survey_bag(
    bag: Bag, found: Sequence[BagStream], topics: set[str], static: str | None, body: Embodiment
) -> Survey:
    """Read the times of the streams of a bag.

    Args:
        bag: An open bag.
        found: The streams to look at.
        topics: All topics that a conversion reads.
        static: The topic of the static transforms, if any.
        body: The robot.

    Raises:
        BagError: The bag breaks off.
    """
    meters = {str(one.stream.key): _Meter(one, body) for one in found}
    by_topic: dict[str, list[_Meter]] = {}
    for meter in meters.values():
        by_topic.setdefault(meter.topic, []).append(meter)
        if meter.transforms is not None and static is not None:
            by_topic.setdefault(static, []).append(meter)
    names = {topic: number for number, topic in enumerate(sorted(topics))}
    numbers, receives, kinds = array("q"), array("q"), array("q")
    for message in bag.as_written(topics):
        numbers.append(message.number)
        receives.append(message.receive_ns)
        kinds.append(names[message.topic])
        for meter in by_topic.get(message.topic, ()):
            meter.take(message, static=message.topic == static)
    number, receive = _ints(numbers), _ints(receives)
    steps = receive_steps(number, receive, _ints(kinds))
    return Survey(
        {name: meter.result() for name, meter in meters.items()},
        WriteOrder(_disorder_ns(number, receive, steps), tuple(steps)),
        len(numbers),
    )


def _disorder_ns(number: IntArray, receive: IntArray, steps: Sequence[int]) -> int:
    """Return how far a message lies behind one that was received later [ns]."""
    worst = 0
    for part in np.split(receive, np.searchsorted(number, steps)):
        if len(part):
            worst = max(worst, int((np.maximum.accumulate(part) - part).max()))
    return 0 if worst == 0 else max(worst, LEAST_DISORDER_NS)


def _ints(values: array[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


class _Meter:
    """Collects the times of one stream."""

    def __init__(self, one: BagStream, body: Embodiment) -> None:
        stream = one.stream
        self.topic = one.topic
        self.transforms = TfReader(stream) if is_transformed(stream) else None
        self._stamped = self.transforms is not None or one.stamped
        # Of a JointState only the messages about this stream count; a gripper's rhythm is in its
        # values. Of all others the stamp is enough.
        extra = stream.key.kind is Kind.EXTRA
        decode = (stream.type == JOINT_STATE and not extra) or stream.key.kind is Kind.GRIPPER
        self._reader: Reader | None = reader_of(stream, body) if decode else None
        self._valued = stream.key.kind is Kind.GRIPPER
        self._times = array("q"), array("q"), array("q")
        self._messages = self._zero = self._repeated = self._gap_ns = 0
        self._last_ns: int | None = None
        self._last_value: object = None

    def take(self, message: BagMessage, *, static: bool) -> None:
        """Take a message of the stream's topic."""
        stamp = self._stamp(message.data, static=static)
        if stamp is None:
            return
        self._messages += 1
        if self._last_ns is not None:
            self._gap_ns = max(self._gap_ns, message.receive_ns - self._last_ns)
        self._last_ns = message.receive_ns
        if not self._stamped:
            return
        if stamp == 0:
            self._zero += 1
            return
        for column, value in zip(
            self._times, (message.number, message.receive_ns, stamp), strict=True
        ):
            column.append(value)

    def _stamp(self, data: bytes, *, static: bool) -> int | None:
        """Return the stamp of a message, 0 without one; None where it is not about the stream."""
        try:
            if self.transforms is not None:
                moved = self.transforms.read(data, static=static)
                return None if moved is None else moved.stamp_ns
            if self._reader is None:
                return header_stamp_ns(data) if self._stamped else 0
            reading = self._reader(data)
        except (BadSampleError, CdrError):
            return None
        if reading is None:
            return None
        self._repeated += reading.value == self._last_value
        self._last_value = reading.value
        return reading.stamp_ns

    def result(self) -> StreamSurvey:
        """Return what was found."""
        return StreamSurvey(
            self.topic,
            self._stamped,
            Track(*(_ints(column) for column in self._times)),
            self._messages,
            self._zero,
            self._valued,
            self._repeated,
            self._gap_ns / SECOND_NS,
        )
