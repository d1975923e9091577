# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the times of a recording decide before it is read: refused clocks, values that hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evla_ros.data.bags.types import TopicInfo
from evla_ros.data.convert.bag_streams import BagStream
from evla_ros.data.convert.gates import Gates
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.survey import Survey
from evla_ros.data.convert.timeline import Timeline
from evla_ros.embodiment.streams import Kind, Role


def refuse_clocks(
    timeline: Timeline, streams: Sequence[BagStream], source: str, options: ConvertOptions
) -> None:
    """Refuse a bag in which a stream that matters is on another clock than the others.

    Args:
        timeline: Knows the clocks.
        streams: The streams that a conversion reads.
        source: What actions are made of; goals matter to `commanded` ones.
        options: Which gates are open.

    Raises:
        GateError: With the streams and their offsets.
    """
    needed = {
        str(one.stream.key): one.topic
        for one in streams
        if one.stream.required or (one.stream.role is Role.GOAL and source == "commanded")
    }
    faults = [f"{told} ({needed[n]})" for n, told in timeline.faults().items() if n in needed]
    if faults:
        Gates(options.allow).fail(
            "clock",
            f"{'; '.join(faults)}: synchronise the clocks, and align this bag by receive time "
            "(--time receive)",
        )


def held_streams(
    streams: Sequence[BagStream],
    topics: Mapping[str, TopicInfo],
    survey: Survey,
    options: ConvertOptions,
) -> tuple[str, ...]:
    """Return the streams whose last value holds: asked for, or latched and published on change."""
    held = []
    for one in streams:
        name = str(one.stream.key)
        rhythm = survey.streams[name]
        latched = topics[one.topic].latched and one.stream.key.kind is Kind.GRIPPER
        if name in options.hold or (latched and rhythm.on_change):
            held.append(name)
    return tuple(held)
