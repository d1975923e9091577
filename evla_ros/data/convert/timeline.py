# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Put all messages of a recording on one time line, and say which clocks do not fit on it."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np

from evla_ros.data.clocks.offsets import StreamClock, stream_clocks
from evla_ros.data.clocks.receive_map import SAME_NS, ReceiveMap, receive_map
from evla_ros.data.clocks.steps import ClockStep, clock_steps
from evla_ros.data.clocks.track import Track, odd_stamps
from evla_ros.data.convert.survey import Survey
from evla_ros.units import SECOND_NS

_END = 1 << 62
_SAME_RATE = 0.005
_IN_FLIGHT_NS = SECOND_NS  # messages stamped before a step may arrive so long after it


class Timeline:
    """Gives each message a time: its header stamp, or its receive time on the stamps' clock.

    A message without a header (such as a gripper's Float64) is placed by its receive time, through
    the map between the two clocks that the stamped messages show. Where a clock was set back the
    recording is cut, and each part has a map of its own.

    Attributes:
        cuts: Numbers of the messages at which a part begins.
        clocks: How the stamps of each stream lie; empty when receive times rule.
        steps: Where the clock of the stamps was set.
        dropped: Messages without a usable stamp, by (stream, why).
    """

    def __init__(self, mode: Literal["header", "receive"], survey: Survey) -> None:
        self.receive = mode == "receive"
        self.clocks: Mapping[str, StreamClock] = {}
        self.steps: list[ClockStep] = []
        self.dropped: Counter[tuple[str, str]] = Counter()
        self._odd: set[tuple[str, int]] = set()
        self._unstamped = {name for name, s in survey.streams.items() if s.unstamped}
        self._maps: list[ReceiveMap] = []
        own = survey.written.steps
        self.cuts: tuple[int, ...] = own
        if self.receive:
            return
        tracks = {name: self._without_odd(name, track) for name, track in survey.tracks.items()}
        for first, stop in zip((0, *own), (*own, _END), strict=True):
            part = {name: track.between(first, stop) for name, track in tracks.items()}
            self.steps += clock_steps({name: t for name, t in part.items() if len(t)})
        whole = [step for step in self.steps if step.whole]
        for step in whole:
            for name, track in tracks.items():
                self._mark_in_flight(name, track, step)
        self.cuts = tuple(sorted({*own, *(step.number for step in whole)}))
        self.clocks = stream_clocks(tracks)
        right = _fastest(tracks, self.clocks)
        for first, stop in zip((0, *self.cuts), (*self.cuts, _END), strict=True):
            self._maps.append(receive_map(track.between(first, stop) for track in right))

    def part_of(self, number: int) -> int:
        """Return which part a message belongs to, from 0."""
        return bisect.bisect_right(self.cuts, number)

    def stamp_ns(
        self, stream: str, number: int, receive_ns: int, stamp_ns: int | None
    ) -> int | None:
        """Return the time of a message [ns].

        Args:
            stream: The key of its stream as text.
            number: Its place in the recording.
            receive_ns: When the recorder received it [ns].
            stamp_ns: Its header stamp [ns]; None for a message without a header.

        Returns:
            None for a message whose stamp is of no use; it is counted.
        """
        if self.receive:
            return receive_ns
        if stamp_ns is None or stream in self._unstamped:
            return self._maps[self.part_of(number)].stamp_of(receive_ns)
        if stamp_ns == 0:
            self.dropped[stream, "a header stamp of 0"] += 1
            return None
        if (stream, number) in self._odd:
            self.dropped[stream, "a header stamp that fits no other"] += 1
            return None
        return stamp_ns

    def faults(self) -> dict[str, str]:
        """Return a sentence for each stream whose stamps cannot be aligned with the others'."""
        found = {n: c.sentence(n) for n, c in self.clocks.items() if c.apart}
        for step in self.steps:
            if not step.whole:
                seconds = abs(step.change_ns) / SECOND_NS
                for name in step.streams:
                    found[name] = (
                        f"the clock of {name} jumps back by {seconds:.2f} s while those of other "
                        "streams go on"
                    )
        return found

    def notes(self) -> list[str]:
        """Return what was done about the clocks, in sentences."""
        cut = "the recording is cut there"
        notes = [f"{step.sentence()}; {cut}" for step in self.steps if step.whole]
        back = len(self.cuts) - len(notes)
        if back > 0:
            notes.append(f"the recorder's clock is set back {back} time(s); {cut}")
        rates = {f"{one.rate:.2f}" for one in self._maps if abs(one.rate - 1) > _SAME_RATE}
        if rates:
            notes.append(
                f"header stamps run at {' and '.join(sorted(rates))} of the recorder's clock "
                "(simulated time?); messages without a header are placed by that"
            )
        notes += [
            f"{name} has no header stamps (all are 0): it is placed by its receive times"
            for name in sorted(self._unstamped if not self.receive else ())
        ]
        notes += [f"{s}: {n} message(s) with {why} dropped" for (s, why), n in self.dropped.items()]
        return notes

    def _without_odd(self, name: str, track: Track) -> Track:
        odd = odd_stamps(track)
        self._odd.update((name, number) for number in track.number[odd].tolist())
        return track.where(~odd)

    def _mark_in_flight(self, name: str, track: Track, step: ClockStep) -> None:
        """Drop what was stamped before a step and received after it."""
        apart, delay = track.receive_ns - step.receive_ns, track.delay_ns
        before = delay[(apart < 0) & (apart > -_IN_FLIGHT_NS)]
        if not len(before):
            return
        middle = np.median(before) - step.change_ns / 2
        after = (track.number >= step.number) & (apart < _IN_FLIGHT_NS)
        old = after & ((delay < middle) if step.change_ns < 0 else (delay > middle))
        self._odd.update((name, number) for number in track.number[old].tolist())


def _fastest(tracks: Mapping[str, Track], clocks: Mapping[str, StreamClock]) -> list[Track]:
    """Return the streams of the right clock that are delayed least: slower ones say less."""
    right = {name: track for name, track in tracks.items() if not clocks[name].apart}
    least = min((clocks[name].offset_s for name in right), default=0.0)
    return [t for n, t in right.items() if clocks[n].offset_s <= least + SAME_NS / SECOND_NS]
