# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Put several streams on one fixed-rate grid, causally, while the messages stream by.

Memory is bounded by the reorder window, not by the length of the recording. A tick that a stream
cannot serve within its tolerance is marked, never filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evla_ros.data.alignment.stream_buffer import Sample, StreamBuffer
from evla_ros.errors import EvlaError

NANOSECONDS = 1_000_000_000
DEFAULT_REORDER_NS = NANOSECONDS // 2
LARGEST_STEP_BACK_NS = NANOSECONDS


class AlignmentError(EvlaError):
    """Streams that cannot be put on one time line."""


@dataclass(frozen=True)
class StreamRule:
    """How old a sample may be at a tick (None: any age); required streams start the grid."""

    tolerance_ns: int | None
    required: bool = True


@dataclass(frozen=True)
class Tick:
    """One tick of the grid: per stream the newest sample at or before `stamp_ns`, or None."""

    index: int
    stamp_ns: int
    samples: Mapping[str, Sample | None]
    stale: tuple[str, ...]  # required streams without a sample within their tolerance

    @property
    def complete(self) -> bool:
        """Whether every required stream is fresh."""
        return not self.stale

    def payload(self, name: str) -> Any:
        """Return the payload of a stream's sample, or None."""
        sample = self.samples.get(name)
        return None if sample is None else sample.payload

    def age_ns(self, name: str) -> int | None:
        """Return the age of a stream's sample at the tick, or None."""
        sample = self.samples.get(name)
        return None if sample is None else sample.age_ns(self.stamp_ns)


def tick_time_ns(origin_ns: int, index: int, rate_hz: float) -> int:
    """Return the time of a tick; exact, without the drift of a repeated float addition."""
    return origin_ns + round(index * NANOSECONDS / rate_hz)


class CausalAligner:
    """Feed it every message in order of receipt; it gives each tick once nothing can change it."""

    def __init__(
        self,
        rules: Mapping[str, StreamRule],
        rate_hz: float,
        reorder_ns: int = DEFAULT_REORDER_NS,
    ) -> None:
        """`reorder_ns`: how much later than a newer stamp an older one may still arrive."""
        self._rules = dict(rules)
        self._rate_hz = rate_hz
        self._reorder_ns = reorder_ns
        self._buffers = {name: StreamBuffer() for name in rules}
        self._origin_ns: int | None = None
        self._index = 0
        self._newest_ns: int | None = None

    def push(self, name: str, stamp_ns: int, receive_ns: int, payload: Any) -> None:
        """Add a sample; AlignmentError when the stream's clock jumps back by more than a second."""
        buffer = self._buffers[name]
        newest = buffer.newest
        if newest is not None and stamp_ns < newest.stamp_ns - LARGEST_STEP_BACK_NS:
            back = (newest.stamp_ns - stamp_ns) / NANOSECONDS
            raise AlignmentError(
                f"the clock of {name} jumps back by {back:.2f} s; cut the recording at the jump "
                "or align by receive time (--time receive)"
            )
        buffer.push(Sample(stamp_ns, receive_ns, payload))
        if self._rules[name].required:
            old = self._newest_ns
            self._newest_ns = stamp_ns if old is None else max(old, stamp_ns)
        if self._newest_ns is not None and self.waiting_for:
            buffer.forget_before(self._newest_ns - self._reorder_ns)

    def ticks(self) -> Iterator[Tick]:
        """Yield the ticks that no later message can change."""
        while self._start(wait=True) is not None:
            time_ns = self._next_time()
            if not self._settled(time_ns):
                return
            yield self._emit(time_ns)

    def finish(self) -> Iterator[Tick]:
        """Yield the remaining ticks at the end of the recording."""
        if self._start(wait=False) is None or self._newest_ns is None:
            return
        while (time_ns := self._next_time()) <= self._newest_ns:
            yield self._emit(time_ns)

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """Required streams that have not sent anything."""
        rules = self._rules.items()
        return tuple(n for n, rule in rules if rule.required and not len(self._buffers[n]))

    def _start(self, *, wait: bool) -> int | None:
        """Return the first tick's time once every required stream is there (and has settled)."""
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

    def _emit(self, time_ns: int) -> Tick:
        samples = {name: buffer.at(time_ns) for name, buffer in self._buffers.items()}
        for buffer in self._buffers.values():
            buffer.forget_before(time_ns)
        stale = tuple(
            name
            for name, rule in self._rules.items()
            if rule.required and not is_fresh(samples[name], time_ns, rule.tolerance_ns)
        )
        tick = Tick(self._index, time_ns, samples, stale)
        self._index += 1
        return tick


def is_fresh(sample: Sample | None, now_ns: int, tolerance_ns: int | None) -> bool:
    """Return whether a sample exists and is at most `tolerance_ns` old at `now_ns`."""
    if sample is None:
        return False
    return tolerance_ns is None or 0 <= sample.age_ns(now_ns) <= tolerance_ns
