# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Align several streams on one fixed-rate time grid, causally, as the messages come in.

The memory is bounded by the reorder window, not by the length of the recording. A tick for which a
stream has no sample within its tolerance is marked as stale, and nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from evla_ros.data.alignment.stream_buffer import StampedSample, StreamBuffer
from evla_ros.errors import EvlaError
from evla_ros.units import SECOND_NS

DEFAULT_REORDER_NS = SECOND_NS // 2
LARGEST_STEP_BACK_NS = SECOND_NS

Key = TypeVar("Key", bound=Hashable)  # identifies a stream; error messages show its str()


class AlignmentError(EvlaError):
    """Streams that cannot be put on one time line."""


@dataclass(frozen=True)
class StreamRule:
    """What the aligner requires of a stream.

    Attributes:
        tolerance_ns: How old a sample may be at a tick [ns]; None allows any age.
        required: The grid starts when every required stream has a sample, and a tick without a
            fresh sample of it is incomplete.
    """

    tolerance_ns: int | None
    required: bool = True


@dataclass(frozen=True)
class AlignedTick(Generic[Key]):
    """One tick of the grid.

    Attributes:
        index: The number of the tick, from 0.
        stamp_ns: Its time [ns].
        samples: For each stream the newest sample at or before `stamp_ns`, or None.
        stale: The required streams without a sample within their tolerance.
    """

    index: int
    stamp_ns: int
    samples: Mapping[Key, StampedSample | None]
    stale: tuple[Key, ...]  # required streams without a sample within their tolerance

    @property
    def complete(self) -> bool:
        """Whether every required stream has a fresh sample."""
        return not self.stale

    def payload(self, name: Key) -> Any:
        """Return the payload of a stream's sample, or None without a sample."""
        sample = self.samples.get(name)
        return None if sample is None else sample.payload

    def age_ns(self, name: Key) -> int | None:
        """Return how old a stream's sample is at the tick [ns], or None without a sample."""
        sample = self.samples.get(name)
        return None if sample is None else sample.age_ns(self.stamp_ns)


def tick_time_ns(origin_ns: int, index: int, rate_hz: float) -> int:
    """Return the time of a tick [ns], without the drift of repeated float additions."""
    return origin_ns + round(index * SECOND_NS / rate_hz)


class CausalAligner(Generic[Key]):
    """Takes messages as they are received and gives each tick once no later one can change it."""

    def __init__(
        self,
        rules: Mapping[Key, StreamRule],
        rate_hz: float,
        reorder_ns: int = DEFAULT_REORDER_NS,
    ) -> None:
        """Create an aligner.

        Args:
            rules: The streams, and what is required of each.
            rate_hz: Ticks per second.
            reorder_ns: How late a sample may arrive after one with a newer stamp [ns].
        """
        self._rules = dict(rules)
        self._rate_hz = rate_hz
        self._reorder_ns = reorder_ns
        self._buffers = {name: StreamBuffer() for name in rules}
        self._origin_ns: int | None = None
        self._index = 0
        self._newest_ns: int | None = None

    def push(self, name: Key, stamp_ns: int, receive_ns: int, payload: Any) -> None:
        """Add a sample to a stream.

        Args:
            name: The stream.
            stamp_ns: When the sample was captured [ns].
            receive_ns: When it was received [ns].
            payload: Kept as it is.

        Raises:
            AlignmentError: The clock of the stream jumped back by more than a second.
        """
        buffer = self._buffers[name]
        newest = buffer.newest
        if newest is not None and stamp_ns < newest.stamp_ns - LARGEST_STEP_BACK_NS:
            back = (newest.stamp_ns - stamp_ns) / SECOND_NS
            raise AlignmentError(
                f"the clock of {name} jumps back by {back:.2f} s; cut the recording at the jump "
                "or align by receive time (--time receive)"
            )
        buffer.push(StampedSample(stamp_ns, receive_ns, payload))
        if self._rules[name].required:
            old = self._newest_ns
            self._newest_ns = stamp_ns if old is None else max(old, stamp_ns)
        if self._newest_ns is not None and self.waiting_for:
            buffer.forget_before(self._newest_ns - self._reorder_ns)

    def ticks(self) -> Iterator[AlignedTick[Key]]:
        """Yield the ticks that no later message can change."""
        while self._start(wait=True) is not None:
            time_ns = self._next_time()
            if not self._settled(time_ns):
                return
            yield self._emit(time_ns)

    def finish(self) -> Iterator[AlignedTick[Key]]:
        """Yield the remaining ticks at the end of the recording."""
        if self._start(wait=False) is None or self._newest_ns is None:
            return
        while (time_ns := self._next_time()) <= self._newest_ns:
            yield self._emit(time_ns)

    @property
    def started(self) -> bool:
        """Whether any stream has sent something."""
        return any(len(buffer) for buffer in self._buffers.values())

    @property
    def waiting_for(self) -> tuple[Key, ...]:
        """The required streams that have not sent anything yet."""
        rules = self._rules.items()
        return tuple(n for n, rule in rules if rule.required and not len(self._buffers[n]))

    def _start(self, *, wait: bool) -> int | None:
        """Return the time of the first tick, or None while a required stream has no sample.

        With `wait` it is also None until no late message can change that time.
        """
        if self._origin_ns is None and not self.waiting_for:
            firsts = [
                sample.stamp_ns
                for name, buffer in self._buffers.items()
                if self._rules[name].required and (sample := buffer.first) is not None
            ]
            origin = max(firsts, default=None)
            if origin is not None and (not wait or self._settled(origin)):
                self._origin_ns = origin
        return self._origin_ns

    def _next_time(self) -> int:
        assert self._origin_ns is not None  # noqa: S101 - _start was asked before
        return tick_time_ns(self._origin_ns, self._index, self._rate_hz)

    def _settled(self, time_ns: int) -> bool:
        return self._newest_ns is not None and self._newest_ns >= time_ns + self._reorder_ns

    def _emit(self, time_ns: int) -> AlignedTick[Key]:
        samples = {name: buffer.at(time_ns) for name, buffer in self._buffers.items()}
        for buffer in self._buffers.values():
            buffer.forget_before(time_ns)
        stale = tuple(
            name
            for name, rule in self._rules.items()
            if rule.required and not is_fresh(samples[name], time_ns, rule.tolerance_ns)
        )
        tick = AlignedTick(self._index, time_ns, samples, stale)
        self._index += 1
        return tick


def is_fresh(sample: StampedSample | None, now_ns: int, tolerance_ns: int | None) -> bool:
    """Return whether a sample exists and is at most `tolerance_ns` old at `now_ns`."""
    if sample is None:
        return False
    return tolerance_ns is None or 0 <= sample.age_ns(now_ns) <= tolerance_ns
