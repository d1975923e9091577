# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was learned from reading a bag, besides its ticks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from evla_ros.data.clocks.offsets import StreamClock
from evla_ros.data.convert.readers import ValueRange
from evla_ros.data.convert.survey import Survey
from evla_ros.data.messages import EpisodeEvent


@dataclass
class Collected:
    """What was learned from reading one bag, besides its ticks.

    Attributes:
        message_hash: SHA-256 (hex) over the messages that were read.
        events: (stamp [ns], event) of every mark of the recorder.
        waiting_for: Required streams that never sent a usable message, each with the reason.
        first_instruction: The first instruction; None without one.
        cuts: The numbers of the ticks at which a part begins whose clock was set.
        bad: Messages that are of no use, by (stream, fault), with the first one's problem.
        notes: What was done about clocks and bad messages, in sentences.
        survey: The times of the recording.
        held: Streams whose last value holds until the next.
        unseen_ticks: Ticks that have no row, because a stream began late or is missing in a part.
        late: By how much the streams to blame begin after the others [s].
        hints: What is known of the rhythm of slow streams, by stream.
        ranges: The device values of gripper states and commands, by stream.
        clocks: How the stamps of each stream lie; empty when receive times rule.
    """

    message_hash: str = ""
    events: list[tuple[int, EpisodeEvent]] = field(default_factory=list)
    waiting_for: dict[str, str] = field(default_factory=dict)
    first_instruction: str | None = None
    cuts: list[int] = field(default_factory=list)
    bad: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    survey: Survey = field(default_factory=Survey)
    held: tuple[str, ...] = ()
    unseen_ticks: int = 0
    late: dict[str, float] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    ranges: dict[str, ValueRange] = field(default_factory=dict)
    clocks: Mapping[str, StreamClock] = field(default_factory=dict)
