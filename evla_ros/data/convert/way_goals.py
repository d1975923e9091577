# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The goal in force at each tick, of an arm whose commands are whole ways."""

from __future__ import annotations

from evla_ros.data.alignment.aligner import AlignedTick
from evla_ros.data.codecs.goal import CommandedWay
from evla_ros.embodiment.streams import Stream, StreamKey
from evla_ros.geometry import Pose, Way
from evla_ros.units import SECOND_NS


class WayGoals:
    """Follows one way until the next comes; that begins where the first one is by then."""

    def __init__(self) -> None:
        """Start without a way."""
        self._way: Way | None = None
        self._begun_ns = 0
        self._commanded: CommandedWay | None = None

    def goal(
        self, stream: Stream, tick: AlignedTick[StreamKey], measured: Pose | None
    ) -> Pose | None:
        """Return where the tool is told to be at a tick.

        Args:
            stream: Of the ways; its `max_age_s` is how long the end of one counts.
            tick: The next one of the bag.
            measured: Where the tool is, None when that is not known.

        Returns:
            None before the first way, and when the last one is over for too long.
        """
        sample = tick.samples.get(stream.key)
        if sample is None:
            return None
        way: Way = sample.payload
        most_ns = round((stream.max_age_s or 0.0) * SECOND_NS)
        if self._commanded is None or way is not self._way:
            start = measured if measured is not None else way[0].pose
            if self._commanded is not None:
                start = self._commanded.at(sample.stamp_ns - self._begun_ns, most_ns) or start
            self._way, self._begun_ns = way, sample.stamp_ns
            self._commanded = CommandedWay(start, way)
        return self._commanded.at(sample.age_ns(tick.stamp_ns), most_ns)
