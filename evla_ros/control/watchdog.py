# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether every input is there and fresh; one finding per fault."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from evla_ros.control.reasons import Finding, Reason

_GAPS = 9
_EARLY = 8


@dataclass
class Stream:
    """One input: its newest sample, how old that may get, and how often one comes.

    received_ns and stamp_ns are on the node's clock; invalid holds the last decoding error, ''
    when well; gaps_ns: between the stamps of the last samples.
    """

    name: str
    max_age_ns: int
    missing: Reason
    stale: Reason
    received_ns: int | None = None
    stamp_ns: int = 0
    count: int = 0
    invalid: str = ""
    conflict: bool = False
    skew_ns: int = 0
    gaps_ns: deque[int] = field(default_factory=lambda: deque(maxlen=_GAPS))

    def note(self, stamp_ns: int, received_ns: int) -> None:
        """Take the times of a new sample."""
        if self.received_ns is not None and stamp_ns > self.stamp_ns:
            self.gaps_ns.append(stamp_ns - self.stamp_ns)
        self.received_ns, self.stamp_ns = received_ns, stamp_ns
        self.skew_ns = received_ns - stamp_ns
        self.count += 1
        self.invalid = ""

    def age_ns(self, now_ns: int) -> int | None:
        """Return the time since the newest sample arrived, None when none did."""
        return None if self.received_ns is None else now_ns - self.received_ns

    def owes(self, time_ns: int, until_ns: int) -> bool:
        """Return whether a sample stamped `time_ns` or earlier should arrive before `until_ns`.

        One comes about every median gap, up to an eighth early, and takes as long to arrive as the
        last one. Of a stream with fewer than two samples nothing is expected.
        """
        if self.received_ns is None or not self.gaps_ns or self.stamp_ns >= time_ns:
            return False
        period_ns = sorted(self.gaps_ns)[len(self.gaps_ns) // 2]
        next_ns = self.stamp_ns + period_ns - period_ns // _EARLY
        return next_ns <= time_ns and next_ns + self.skew_ns <= until_ns

    def clear(self) -> None:
        """Forget the newest sample."""
        self.received_ns, self.invalid = None, ""
        self.gaps_ns.clear()

    def findings(self, now_ns: int, max_skew_ns: int) -> list[Finding]:
        """Return what is wrong with this stream."""
        found = []
        age_ns = self.age_ns(now_ns)
        if self.invalid:
            found.append(Finding(Reason.INPUT_INVALID, f"{self.name}: {self.invalid}"))
        if self.conflict:
            found.append(Finding(Reason.CAMERA_CONFLICT, self.name))
        if age_ns is None:
            found.append(Finding(self.missing, self.name))
        elif age_ns > self.max_age_ns:
            limit_s = self.max_age_ns / 1e9
            # Rounded to the limit's own digits, the age would change the text (and the log) every
            # tick.
            found.append(Finding(self.stale, f"{self.name}: older than {limit_s:g} s"))
        elif abs(self.skew_ns) > max_skew_ns and self.missing is Reason.CAMERA_MISSING:
            found.append(
                Finding(Reason.STAMP_SKEW, f"{self.name}: off by {self.skew_ns / 1e9:.0f} s")
            )
        return found


@dataclass
class Watchdog:
    """All streams by name."""

    max_stamp_skew_ns: int
    streams: dict[str, Stream] = field(default_factory=dict)

    def add(self, stream: Stream) -> Stream:
        """Watch a stream."""
        self.streams[stream.name] = stream
        return stream

    def clear(self) -> None:
        """Forget every sample; after a clock jump the old times mean nothing."""
        for stream in self.streams.values():
            stream.clear()

    def findings(self, now_ns: int) -> list[Finding]:
        """Return every fault of every stream."""
        return [
            found
            for stream in self.streams.values()
            for found in stream.findings(now_ns, self.max_stamp_skew_ns)
        ]
