# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which recorded topics become columns `observation/extra/<name>`, and what each of them holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from evla_ros.data.bags.reader import open_bag
from evla_ros.data.bags.types import Bag, BagError, TopicInfo
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.numbers import MOST, NoNumbersError, NumbersReader
from evla_ros.data.convert.bag_places import bag_here
from evla_ros.data.convert.bag_streams import find_topic
from evla_ros.data.convert.extra_columns import ExtraColumn
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.remote.store import RemoteError
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import (
    COMPRESSED_IMAGE,
    IMAGE,
    Kind,
    Stream,
    makes_column,
    streams_of,
)
from evla_ros.errors import EvlaError

TRIED = 100  # messages of a topic that may be of no use before it counts as useless


class NotAColumnError(EvlaError):
    """A recorded topic that stays in the bag; the sentence says why."""


def resolved(options: ConvertOptions, bags: Sequence[Path]) -> ConvertOptions:
    """Return the options with the columns that recorded topics become, by the first bags with them.

    Args:
        options: How bags are converted; columns that are known already are kept.
        bags: Where they are looked for.

    Raises:
        EvlaError: A topic is in none of the bags.
    """
    if options.extras is not None:
        return options
    embodiment = options.embodiment()
    wanted = {s.topic: s for s in streams_of(embodiment) if makes_column(s)}
    found: list[ExtraColumn] = []
    for path in bags if wanted else ():
        if not wanted:
            break
        try:
            with bag_here(path) as here, open_bag(here) as bag:
                found += _of_bag(bag, wanted)
        except (BagError, RemoteError):
            continue  # the conversion says what is wrong with it
    for stream in wanted.values():
        raise EvlaError(
            f"no bag has a message of {stream.topic!r}, which {_entry(embodiment, stream)} asks to "
            "make a column of: correct the topic, take it out of `record`, or set `column: none`"
        )
    order = [one.key for one in embodiment.record]
    return replace(options, extras=tuple(sorted(found, key=lambda one: order.index(one.name))))


def resolved_for(options: ConvertOptions, bag: Bag) -> ConvertOptions:
    """Return the options with the columns that one open bag gives; a topic it lacks is missed."""
    if options.extras is not None:
        return options
    wanted = {s.topic: s for s in streams_of(options.embodiment()) if makes_column(s)}
    found = _of_bag(bag, wanted)
    lacking = [_unknown(stream) for stream in wanted.values()]
    return replace(options, extras=(*found, *lacking))


def _unknown(stream: Stream) -> ExtraColumn:
    kind: Literal["numbers", "depth"] = "depth" if stream.selector == ("depth",) else "numbers"
    return ExtraColumn(stream.key.name, stream.topic, "", kind)


def _of_bag(bag: Bag, wanted: dict[str, Stream]) -> list[ExtraColumn]:
    """Take from `wanted` what the bag has messages of, and return the columns among it."""
    found = []
    for stream in list(wanted.values()):
        topic = find_topic(stream.topic, bag.info.topics)
        if topic is None or bag.info.topics[topic].count == 0:
            continue
        try:
            column = column_of(stream, bag, bag.info.topics[topic])
        except NotAColumnError:
            column = None
        del wanted[stream.topic]
        found += [column] if column is not None else []
    return found


def column_of(stream: Stream, bag: Bag, topic: TopicInfo) -> ExtraColumn:
    """Return what a recorded topic becomes, by its first message of use.

    Raises:
        NotAColumnError: It stays in the bag.
    """
    name, kind = stream.key.name, stream.selector[0]
    if kind == "depth":
        if topic.type not in (IMAGE, COMPRESSED_IMAGE):
            raise NotAColumnError(f"`column: depth` needs {IMAGE} or {COMPRESSED_IMAGE}")
        return ExtraColumn(name, stream.topic, topic.type, "depth")
    try:
        read = NumbersReader(topic.type, topic.definition)
    except NoNumbersError as error:
        raise NotAColumnError(str(error)) from error
    problem = "it has no message"
    for number, message in enumerate(bag.messages({topic.name})):
        if number >= TRIED:
            break
        try:
            _, names, units, values = read(message.data)
        except BadSampleError as error:
            problem = str(error)
            if error.fault == "size":
                break
            continue
        if not len(values):
            raise NotAColumnError("it holds no numbers")
        if len(values) > MOST:
            raise NotAColumnError(f"it holds {len(values)} numbers, at most {MOST} make a column")
        return ExtraColumn(name, stream.topic, topic.type, "numbers", names, units)
    raise NotAColumnError(problem)


def left_in_the_bag(
    embodiment: Embodiment, bag: Bag, extras: Sequence[ExtraColumn]
) -> dict[str, str]:
    """Return, by stream, why recorded topics of a bag become no column although they might."""
    made = {one.name for one in extras}
    told = {}
    for stream in streams_of(embodiment).of_kind(Kind.EXTRA):
        topic = find_topic(stream.topic, bag.info.topics)
        if topic is None or not makes_column(stream) or stream.key.name in made:
            continue
        try:
            column_of(stream, bag, bag.info.topics[topic])
            why = "its first message in the first bag made none"
        except NotAColumnError as error:
            why = str(error)
        told[str(stream.key)] = f"{bag.info.topics[topic].type}, {why}"
    return told


def _entry(embodiment: Embodiment, stream: Stream) -> str:
    index = [one.key for one in embodiment.record].index(stream.key.name)
    return f"record[{index}] of the embodiment file"


def by_name(extras: Sequence[ExtraColumn]) -> Mapping[str, ExtraColumn]:
    """Return the columns by their names."""
    return {one.name: one for one in extras}
