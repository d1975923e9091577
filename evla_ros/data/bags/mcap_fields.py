# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fields of the few MCAP records that bags need."""

from __future__ import annotations

import struct
from typing import NamedTuple

_MESSAGE = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time


class BadBytesError(Exception):
    """The bytes end too early or contradict themselves; the message says how."""


class Channel(NamedTuple):
    """One topic; `schema` is the number of its type."""

    number: int
    schema: int
    topic: str
    encoding: str
    qos: str


class Statistics(NamedTuple):
    """What the index counts: messages, their first and last time [ns], messages by channel."""

    messages: int
    start_ns: int
    end_ns: int
    by_channel: dict[int, int]


def parse_message(content: memoryview) -> tuple[int, int, memoryview]:
    """Return (channel, receive time [ns], data) of a message record."""
    if len(content) < _MESSAGE.size:
        raise BadBytesError("a message ends within its head")
    channel, _, log_time, _ = _MESSAGE.unpack_from(content)
    if log_time >> 63:
        raise BadBytesError(f"a message was received at {log_time} ns, after the year 2262")
    return channel, log_time, content[_MESSAGE.size :]


def parse_schema(content: memoryview) -> tuple[int, str, str, str]:
    """Return (number, name, encoding, definition) of a schema record."""
    number = number_at(content, 0, 2)
    name, at = text_at(content, 2)
    encoding, at = text_at(content, at)
    definition, _ = text_at(content, at)
    return number, name, encoding, definition


def parse_channel(content: memoryview) -> Channel:
    """Return the content of a channel record."""
    number, schema = number_at(content, 0, 2), number_at(content, 2, 2)
    topic, at = text_at(content, 4)
    encoding, at = text_at(content, at)
    end = at + 4 + number_at(content, at, 4)
    at += 4
    qos = ""
    while at < min(end, len(content)):
        key, at = text_at(content, at)
        value, at = text_at(content, at)
        if key == "offered_qos_profiles":
            qos = value
    return Channel(number, schema, topic, encoding, qos)


def parse_statistics(content: memoryview) -> Statistics:
    """Return the content of a statistics record."""
    total = number_at(content, 0, 8)
    start, end = number_at(content, 26, 8), number_at(content, 34, 8)
    at = 42
    length = number_at(content, at, 4)
    at += 4
    if length % 10 or at + length > len(content):
        raise BadBytesError("the statistics end too early")
    counts = {
        number_at(content, place, 2): number_at(content, place + 2, 8)
        for place in range(at, at + length, 10)
    }
    return Statistics(total, start, end, counts)


def number_at(content: memoryview, at: int, size: int) -> int:
    """Return the unsigned number of `size` bytes at a position."""
    if at + size > len(content):
        raise BadBytesError("a record ends too early")
    return int.from_bytes(content[at : at + size], "little")


def text_at(content: memoryview, at: int) -> tuple[str, int]:
    """Return the text at a position, and the position after it."""
    length = number_at(content, at, 4)
    end = at + 4 + length
    if end > len(content):
        raise BadBytesError("a text ends too early")
    try:
        return str(content[at + 4 : end], "utf-8"), end
    except UnicodeDecodeError as error:
        raise BadBytesError(f"a text is not UTF-8: {error.reason}") from error
