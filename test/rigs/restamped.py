# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings of the invented robot in which clocks are wrong: other stamps, other receive times."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from synthetic_bag import Event, SyntheticRobot, robot_events

from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.writer import McapBagWriter
from evla_ros.data.messages import HEADER_FIRST, header_stamp_ns

SECOND = 1_000_000_000
Clock = Callable[[str, int], "int | None"]


def restamp(data: bytes, stamp_ns: int) -> bytes:
    """Return a message that begins with a header, with another stamp."""
    return data[:4] + struct.pack("<iI", *divmod(stamp_ns, SECOND)) + data[12:]


def true_time(_topic: str, stamp_ns: int) -> int:
    """Return the time as it is."""
    return stamp_ns


def write_restamped(
    folder: Path,
    robot: SyntheticRobot,
    stamps: Clock = true_time,
    receives: Clock = true_time,
    change: Callable[[Event], Event | None] = lambda event: event,
    *,
    as_sent: bool = False,
) -> Path:
    """Write a recording.

    Args:
        folder: The bag's folder.
        robot: The robot.
        stamps: Gives the header stamp for (topic, true time); None leaves the message out.
        receives: Gives the receive time for (topic, true time).
        change: Maps each event to the one to write, None leaves it out.
        as_sent: Messages lie in the file in the order in which they were sent, not received: the
            recorder's own clock is wrong.
    """
    body = robot.embodiment
    data = {"embodiment": body.text, "instruction": robot.instruction, "outcome": "success"}
    writer = McapBagWriter(folder, data, "jazzy")
    channels: dict[str, int] = {}
    rows: list[tuple[int, int, bytes]] = []
    for event in map(change, robot_events(robot)):
        if event is None:
            continue
        topic = event.topic
        if topic not in channels:
            channels[topic] = writer.add_topic(topic, event.type, definition_of(event.type))
        content, received = event.data, receives(topic, event.stamp_ns)
        if event.type in HEADER_FIRST:
            stamp = stamps(topic, header_stamp_ns(event.data))
            content = None if stamp is None else restamp(event.data, stamp)
        if content is not None and received is not None:
            rows.append((received, channels[topic], content))
    for received, channel, content in rows if as_sent else sorted(rows, key=lambda row: row[0]):
        writer.write(channel, content, received)
    writer.close(durable=False)
    return folder
