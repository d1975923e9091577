# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read one bag through the aligner and hand out its ticks.

The bag is read twice: once for its times, then for its content. Memory holds the messages of the
reorder window and the encoded pictures of the episode, however large the bag is.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from evla_ros.data.alignment.aligner import AlignedTick, CausalAligner, StreamRule
from evla_ros.data.bags.types import Bag, BagError, BagMessage
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.convert.bag_streams import BagStream, events_topic, find_streams, find_topic
from evla_ros.data.convert.collected import Collected
from evla_ros.data.convert.extra_reader import extra_reader
from evla_ros.data.convert.extras import by_name
from evla_ros.data.convert.judged_streams import held_streams, refuse_clocks
from evla_ros.data.convert.loss import rhythm_hints
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.readers import (
    GripperReader,
    Reader,
    TfReader,
    is_transformed,
    reader_of,
)
from evla_ros.data.convert.survey import survey_bag
from evla_ros.data.convert.timeline import Timeline
from evla_ros.data.messages import decode_episode_event
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import Kind, StreamKey, streams_of
from evla_ros.reading.limits import TICKS
from evla_ros.units import SECOND_NS

SAMPLED_ABOVE = 1 << 16
SAMPLES = 64
SETTLING_S = 1.0  # streams may begin so far apart without counting as late

OnTick = Callable[[AlignedTick[StreamKey]], None]


def collect(
    bag: Bag, embodiment: Embodiment, options: ConvertOptions, on_tick: OnTick
) -> Collected:
    """Read a bag and call `on_tick` with each of its ticks, in order.

    Args:
        bag: An open bag.
        embodiment: The robot, whose streams are read.
        options: Which stamps and which kind of action are used.
        on_tick: Receives every tick, complete or not.

    Raises:
        EvlaError: The bag breaks off, lacks a topic, or has stamps that cannot be aligned.
    """
    run = _Run(bag, embodiment, options, on_tick)
    digest = hashlib.sha256()
    for message in bag.messages(run.topics, run.found.survey.written):
        digest.update(_mark(message))
        run.take(message)
    return run.finish(digest.hexdigest())


def _mark(message: BagMessage) -> bytes:
    """Return a line that identifies a message; large payloads enter by 1 KiB samples."""
    data = message.data
    if len(data) > SAMPLED_ABOVE:
        step = len(data) // SAMPLES
        data = b"".join(data[at : at + 1024] for at in range(0, len(data), step))
    checksum = zlib.crc32(data)
    return f"{message.topic} {message.receive_ns} {len(message.data)} {checksum}\n".encode()


class _Run:
    """Hands every message of a bag to its streams, part by part."""

    def __init__(
        self, bag: Bag, embodiment: Embodiment, options: ConvertOptions, on_tick: OnTick
    ) -> None:
        topics = bag.info.topics
        source = options.action_source(embodiment)
        self.found = Collected()
        self._on_tick, self._rate_hz = on_tick, embodiment.rate_hz
        extras = options.extras or ()
        self._streams = find_streams(embodiment, topics, source, extras)
        self._columns = by_name(extras)
        self._events = events_topic(topics)
        static = streams_of(embodiment).find(Kind.TF_STATIC)
        self._static = None if static is None else find_topic(static.topic, topics)
        self._by_topic: dict[str, list[tuple[BagStream, Reader]]] = {}
        self._transforms: list[tuple[BagStream, TfReader]] = []
        for one in self._streams:
            if is_transformed(one.stream):
                self._transforms.append((one, TfReader(one.stream)))
            else:
                reader = self._reader(one, embodiment, options)
                self._by_topic.setdefault(one.topic, []).append((one, reader))
        survey = survey_bag(bag, self._streams, self.topics, self._static, embodiment)
        self.found.survey = survey
        self._timeline = Timeline(options.time, survey)
        self.found.clocks = self._timeline.clocks
        refuse_clocks(self._timeline, self._streams, source, options)
        self.found.held = held_streams(self._streams, topics, survey, options)
        self._rules = {one.stream.key: self._rule(one) for one in self._streams}
        self.found.hints = rhythm_hints(self._streams, survey)
        self._part, self._ticks, self._part_ticks = 0, 0, 0
        self._firsts: dict[StreamKey, int] = {}
        self._newest_ns = 0
        self._origin_ns: int | None = None
        self._last: dict[StreamKey, tuple[int, Any]] = {}
        self._aligner = CausalAligner(self._rules, self._rate_hz)

    def _reader(self, one: BagStream, embodiment: Embodiment, options: ConvertOptions) -> Reader:
        if one.stream.key.kind is Kind.EXTRA:
            return extra_reader(self._columns[one.stream.key.name], one.definition)
        return reader_of(one.stream, embodiment, any_frame="frame" in options.allow)

    @property
    def topics(self) -> set[str]:
        """The names of the topics to read from the bag."""
        others = {topic for topic in (self._static, self._events) if topic is not None}
        return {*self._by_topic, *(one.topic for one, _ in self._transforms), *others}

    def take(self, message: BagMessage) -> None:
        """Hand a message to every stream of its topic, and on what ticks that settles."""
        part = self._timeline.part_of(message.number)
        if part < self._part:
            return  # received with the first messages of the part that has begun
        if part > self._part:
            self._begin(part)
        if message.topic == self._events:
            self._take_event(message)
        static = message.topic == self._static
        for one, tf in self._transforms:
            if static or message.topic == one.topic:
                self._push(one, message, partial(tf.read, static=static))
        for one, reader in self._by_topic.get(message.topic, ()):
            self._push(one, message, reader)
        self._hand_on(self._aligner.ticks())

    def finish(self, message_hash: str) -> Collected:
        """Hand on the remaining ticks and return what was learned."""
        self._end_part()
        found = self.found
        found.message_hash = message_hash
        readers = [pair for pairs in self._by_topic.values() for pair in pairs]
        found.ranges = {
            str(one.stream.key): reader.range
            for one, reader in readers
            if isinstance(reader, GripperReader)
        }
        never = [one for one in self._streams if one.stream.required]
        never = [one for one in never if one.stream.key not in self._last]
        found.waiting_for = {str(one.stream.key): self._why_silent(one) for one in never}
        found.notes += self._timeline.notes()
        found.notes += [
            f"{stream}: {count} message(s) dropped ({problem})"
            for (stream, _), (count, problem) in sorted(found.bad.items())
        ]
        found.notes += [
            f"{one.stream.key}: {tf.chain.dropped} transform(s) that are not finite dropped"
            for one, tf in self._transforms
            if tf.chain.dropped
        ]
        found.notes += [
            f"{name} is published on change: its last value holds until the next"
            for name in found.held
        ]
        return found

    def _rule(self, one: BagStream) -> StreamRule:
        held = str(one.stream.key) in self.found.held
        return StreamRule(None, one.rule.required) if held else one.rule

    def _begin(self, part: int) -> None:
        """End the ticks of one part and begin those of the next, in which old values still hold."""
        self._end_part()
        self._part, self._part_ticks, self._firsts = part, 0, {}
        self._origin_ns = None
        self.found.cuts.append(self._ticks)
        self._aligner = CausalAligner(self._rules, self._rate_hz)

    def _end_part(self) -> None:
        """Hand on the last ticks of a part, and count those that a late stream has cost it."""
        self._hand_on(self._aligner.finish())
        firsts = self._firsts
        if not firsts:
            return
        begin = min(firsts.values())
        needed = [key for key, rule in self._rules.items() if rule.required]
        late = {key: (firsts.get(key, self._newest_ns) - begin) / SECOND_NS for key in needed}
        ticks = round((self._newest_ns - begin) / SECOND_NS * self._rate_hz)
        unseen = ticks - self._part_ticks - round(SETTLING_S * self._rate_hz)
        if unseen > 0:
            self.found.unseen_ticks += unseen
            self.found.late |= {str(k): s for k, s in late.items() if s > SETTLING_S}

    def _hold_over(self, stamp_ns: int) -> None:
        """Give a new part what holds at any age, such as the instruction."""
        for key, (receive_ns, value) in self._last.items():
            if self._rules[key].tolerance_ns is None:
                self._aligner.push(key, stamp_ns - SECOND_NS, receive_ns, value)

    def _take_event(self, message: BagMessage) -> None:
        event = decode_episode_event(message.data)
        stamp = message.receive_ns if self._timeline.receive else event.header.stamp_ns
        self.found.events.append((stamp, event))

    def _push(self, one: BagStream, message: BagMessage, read: Reader) -> None:
        key, name = one.stream.key, str(one.stream.key)
        try:
            reading = read(message.data)
        except BadSampleError as error:
            count, problem = self.found.bad.get((name, error.fault), (0, str(error)))
            self.found.bad[name, error.fault] = (count + 1, problem)
            return
        if reading is None:
            return
        if key.kind is Kind.INSTRUCTION and self.found.first_instruction is None:
            self.found.first_instruction = reading.value
        stamped = is_transformed(one.stream) or one.stamped
        stamp = self._timeline.stamp_ns(
            name, message.number, message.receive_ns, reading.stamp_ns if stamped else None
        )
        if stamp is None:
            return
        if self._part and not self._aligner.started:
            self._hold_over(stamp)
        self._check_span(one, stamp)
        self._last[key] = (message.receive_ns, reading.value)
        if one.stream.required:
            self._newest_ns = max(self._newest_ns, stamp) if self._firsts else stamp
            self._firsts.setdefault(key, stamp)
        self._aligner.push(key, stamp, message.receive_ns, reading.value)

    def _check_span(self, one: BagStream, stamp_ns: int) -> None:
        """Refuse a stamp so far from the first one that the ticks between them have no end."""
        if self._origin_ns is None:
            self._origin_ns = stamp_ns
        ticks = round(abs(stamp_ns - self._origin_ns) / SECOND_NS * self._rate_hz)
        TICKS.check(ticks, f"{one.topic}: from the first message to this one", BagError)

    def _hand_on(self, ticks: Any) -> None:
        for tick in ticks:
            self._ticks += 1
            self._part_ticks += 1
            self._on_tick(tick)

    def _why_silent(self, one: BagStream) -> str:
        name = str(one.stream.key)
        for (stream, fault), (count, problem) in self.found.bad.items():
            if stream == name:
                keep = " (gate 'frame'; --allow frame keeps it)" if fault == "frame" else ""
                return f"none of its {count} messages is of use ({problem}){keep}"
        for other, tf in self._transforms:
            if other is one:
                return tf.chain.problem()
        dropped: Counter[str] = Counter()
        for (stream, why), count in self._timeline.dropped.items():
            if stream == name:
                dropped[why] += count
        return "".join(f"{count} with {why}" for why, count in dropped.items()) or "it never came"
