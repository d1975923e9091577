# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether every input is there, fresh and usable; one finding per fault.

What an adapter calls for each message of a stream:

- `note` when a sample arrived. Poses and gripper states are decoded before that.
- `reject` when a message arrived and is of no use.
- `decoded` when a sample that was noted undecoded, an image, proved good.

A rejected stream stays at fault until a good sample: a pose or gripper state that is noted, an
image that is decoded. A further bad message changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from evla_ros.control.reasons import Finding, Reason

_GAPS = 9
_EARLY = 8


def frame_problem(frame: str, expected: str) -> str:
    """Return what to reject a message with that comes in another frame (WRONG_FRAME)."""
    return f"comes in frame {frame!r}, expected {expected!r}"


def joint_problem(joint: str, there: Iterable[str]) -> str:
    """Return what to reject a joint state with that lacks a joint (WRONG_JOINT)."""
    return f"no joint {joint!r}; the message has {', '.join(there) or 'none'}"


@dataclass
class WatchedStream:
    """One input: its newest sample, how old that may get, and how often one comes.

    Attributes:
        name: What findings call it, such as `camera wrist`.
        max_age_ns: A newest sample older than this is stale.
        missing: The reason before the first sample.
        stale: The reason when the newest sample is too old.
        decoded_later: Samples are noted before they are decoded (images).
        received_ns: Arrival of the newest sample on the node's clock; None before the first.
        stamp_ns: The newest sample's own time on the node's clock.
        count: Samples so far.
        conflict: Whether two publishers send on its topic.
        skew_ns: Arrival minus stamp of the newest sample.
        gaps_ns: Times between the stamps of the last samples.
    """

    name: str
    max_age_ns: int
    missing: Reason
    stale: Reason
    decoded_later: bool = False
    received_ns: int | None = None
    stamp_ns: int = 0
    count: int = 0
    conflict: bool = False
    skew_ns: int = 0
    gaps_ns: deque[int] = field(default_factory=lambda: deque(maxlen=_GAPS))
    _fault: Finding | None = None
    _fault_heard_ns: int | None = None
    _fault_count: int = 0

    def note(self, stamp_ns: int, received_ns: int) -> None:
        """Take the times of a new sample."""
        if self.received_ns is not None and stamp_ns > self.stamp_ns:
            self.gaps_ns.append(stamp_ns - self.stamp_ns)
        self.received_ns, self.stamp_ns = received_ns, stamp_ns
        self.skew_ns = received_ns - stamp_ns
        self.count += 1
        if not self.decoded_later:
            self._fault = None

    def decoded(self) -> None:
        """Say that a sample noted before was decoded: the stream is good again."""
        self._fault = None

    def reject(
        self, problem: str, now_ns: int | None = None, reason: Reason = Reason.INPUT_INVALID
    ) -> bool:
        """Say that a message arrived and cannot be used; `problem` is shown until a good one comes.

        Args:
            problem: What is wrong in a few words, without the stream's name.
            now_ns: The time of arrival; the fault is shown while such messages go on arriving, and
                silence after that. None: shown until a good sample comes.
            reason: The kind of fault.

        Returns:
            Whether this is a new problem, worth a line in the log.
        """
        found = Finding(reason, f"{self.name}: {problem}")
        changed = found != self._fault
        self._fault, self._fault_heard_ns, self._fault_count = found, now_ns, self.count
        return changed

    @property
    def doubtful(self) -> bool:
        """Whether it is at fault, and a newer sample waits that may be good once decoded."""
        newer = self.decoded_later and self.count > self._fault_count
        return self._fault is not None and newer

    @property
    def invalid(self) -> str:
        """What is wrong with the last message, '' when it was good."""
        return self._fault.detail if self._fault is not None else ""

    @invalid.setter
    def invalid(self, problem: str) -> None:
        """Reject with an unknown time of arrival, or clear with ''."""
        if problem:
            self.reject(problem)
        else:
            self._fault = None

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
        self.received_ns, self._fault = None, None
        self.gaps_ns.clear()

    def findings(self, now_ns: int, max_skew_ns: int, *, to_decode: bool = False) -> list[Finding]:
        """Return what is wrong with this stream.

        Args:
            now_ns: The time to judge ages at.
            max_skew_ns: Largest difference between arrival and stamp.
            to_decode: Let a fault pass that the newest, undecoded sample may end.
        """
        found = [Finding(Reason.CAMERA_CONFLICT, self.name)] if self.conflict else []
        fault = self._fault_now(now_ns)
        if fault is not None and not (to_decode and self.doubtful):
            return [*found, fault]
        age_ns = self.age_ns(now_ns)
        if age_ns is None:
            found.append(Finding(self.missing, self.name))
        elif age_ns > self.max_age_ns:
            # Not the age itself: it would change the text (and the log) every tick.
            limit_s = self.max_age_ns / 1e9
            found.append(Finding(self.stale, f"{self.name}: older than {limit_s:g} s"))
        elif abs(self.skew_ns) > max_skew_ns:
            found.append(
                Finding(Reason.STAMP_SKEW, f"{self.name}: off by {self.skew_ns / 1e9:.0f} s")
            )
        return found

    def _fault_now(self, now_ns: int) -> Finding | None:
        """Return the last message's fault while such messages still arrive."""
        heard_ns = self._fault_heard_ns
        if self._fault is None or heard_ns is None:
            return self._fault
        fresh = self.received_ns is not None and now_ns - self.received_ns <= self.max_age_ns
        return self._fault if fresh or now_ns - heard_ns <= self.max_age_ns else None


@dataclass
class Watchdog:
    """All streams by name."""

    max_stamp_skew_ns: int
    streams: dict[str, WatchedStream] = field(default_factory=dict)

    def add(self, stream: WatchedStream) -> WatchedStream:
        """Watch a stream."""
        self.streams[stream.name] = stream
        return stream

    def clear(self) -> None:
        """Forget every sample; after a clock jump the old times mean nothing."""
        for stream in self.streams.values():
            stream.clear()

    def findings(self, now_ns: int, *, to_decode: bool = False) -> list[Finding]:
        """Return every fault of every stream; `to_decode` as in `WatchedStream.findings`."""
        return [
            found
            for stream in self.streams.values()
            for found in stream.findings(now_ns, self.max_stamp_skew_ns, to_decode=to_decode)
        ]
