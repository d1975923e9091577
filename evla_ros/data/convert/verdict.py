# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Say what the converter would make of a bag, without writing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from evla_ros.data.bags.reader import open_bag
from evla_ros.data.bags.types import Bag
from evla_ros.data.convert.bag_job import read_bag
from evla_ros.data.convert.bag_streams import find_topic, is_read
from evla_ros.data.convert.collect import collect
from evla_ros.data.convert.collected import Collected
from evla_ros.data.convert.columns import TickColumns
from evla_ros.data.convert.extras import left_in_the_bag, resolved_for
from evla_ros.data.convert.gates import GATES
from evla_ros.data.convert.loss import MAX_LOSS
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.embodiment.streams import ANY_TYPE, Kind, Stream, makes_column, streams_of
from evla_ros.errors import EvlaError


@dataclass(frozen=True)
class StreamVerdict:
    """One stream of the robot in a bag.

    Attributes:
        stream: Its key as text, such as `camera:primary`.
        topic: Its topic in the bag; empty where the bag has none.
        messages: Messages about the stream.
        use: What the converter does with them, in words.
    """

    stream: str
    topic: str
    messages: int
    use: str


@dataclass(frozen=True)
class Verdict:
    """What the converter would make of a bag.

    Attributes:
        steps: Steps that it would keep.
        refusal: Why it would keep none; empty where it keeps some.
        sentences: What it would say about losses, clocks and dropped messages.
        streams: What it would do with each stream.
    """

    steps: int
    refusal: str
    sentences: tuple[str, ...]
    streams: tuple[StreamVerdict, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The verdict as sentences, the most important first."""
        first = (
            f"would not keep it: {self.refusal}" if self.refusal else f"keeps {self.steps} steps"
        )
        return [first, *self.sentences]

    @property
    def fine(self) -> bool:
        """Whether there is nothing to say."""
        return not self.refusal and not self.sentences

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def judge(path: Path, options: ConvertOptions, *, pictures: bool = True) -> Verdict:
    """Return what a conversion of one bag would give.

    Args:
        path: The bag.
        options: How it would be converted.
        pictures: Decode them, so that the gates about pictures are applied too.
    """
    try:
        read = read_bag(path, options, pictures=pictures)
    except EvlaError as error:
        return Verdict(0, str(error), ())
    sentences = list(read.collected.notes)
    if read.lost_share > MAX_LOSS:
        lost = read.ticks - read.used_ticks
        sentences.insert(
            0, f"{lost} of {read.ticks} ticks are lost ({read.lost_share:.0%}): {read.loss}"
        )
    return Verdict(sum(len(episode) for episode in read.episodes), "", tuple(sentences))


def judge_streams(path: Path, options: ConvertOptions) -> tuple[StreamVerdict, ...]:
    """Return what a conversion would do with each stream of the robot, refused or not."""
    embodiment = options.embodiment()
    open_gates = replace(options, allow=tuple(GATES), source="achieved")
    with open_bag(path) as bag:
        open_gates = resolved_for(open_gates, bag)
        columns = TickColumns(embodiment, open_gates, pictures=False)
        try:
            found = collect(bag, embodiment, open_gates, columns)
        except EvlaError:
            found = Collected()
        streams = [stream for stream in streams_of(embodiment) if is_read(stream)]
        beside = left_in_the_bag(embodiment, bag, open_gates.extras or ())
        streams += streams_of(embodiment).of_kind(Kind.EXTRA)
        return tuple(_of_stream(stream, bag, found, columns, beside) for stream in streams)


def _of_stream(
    stream: Stream, bag: Bag, found: Collected, columns: TickColumns, beside: Mapping[str, str]
) -> StreamVerdict:
    name, topics = str(stream.key), bag.info.topics
    try:
        topic = find_topic(stream.topic, topics)
    except EvlaError as error:
        return StreamVerdict(name, "", 0, str(error))
    if topic is None:
        needed = stream.required or makes_column(stream)
        use = "is needed and missing" if needed else "is not there; not needed"
        return StreamVerdict(name, "", 0, use)
    count = topics[topic].count or 0
    if stream.key.kind is Kind.EXTRA and (name in beside or not makes_column(stream)):
        use = f"stays in the bag: {beside.get(name, 'its column is none')}"
        return StreamVerdict(name, topic, count, use)
    if stream.type not in (ANY_TYPE, topics[topic].type):
        return StreamVerdict(name, topic, count, f"is a {topics[topic].type}, not a {stream.type}")
    rhythm = found.survey.streams.get(name)
    count = count if rhythm is None else rhythm.messages
    return StreamVerdict(name, topic, count, ", ".join(_uses(stream, found, columns, name)))


def _uses(stream: Stream, found: Collected, columns: TickColumns, name: str) -> list[str]:
    age = stream.max_age_s
    held = age is None or name in found.held
    uses = ["its newest value at any age" if held else f"its newest, up to {age:g} s old"]
    clock = found.clocks.get(name)
    if clock is not None and clock.apart:
        uses.append(clock.sentence(name).removeprefix(f"{name} "))
    bad = sum(count for (stream_name, _), (count, _) in found.bad.items() if stream_name == name)
    if bad:
        uses.append(f"{bad} of no use")
    stale = columns.stale.get(name, 0)
    if stale and not any(clock.apart for clock in found.clocks.values()):
        uses.append(f"stale in {stale} of {len(columns.complete)} ticks")
    if name in found.late:
        uses.append(f"begins {found.late[name]:.1f} s late")
    return uses
