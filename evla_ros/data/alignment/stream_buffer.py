# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recent samples of one stream, looked up causally: never a sample from after the asked time."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    """One sample: capture (or receive) stamp, receive time, and the payload as it came."""

    stamp_ns: int
    receive_ns: int
    payload: Any

    def age_ns(self, now_ns: int) -> int:
        """Return how old the sample is at `now_ns`."""
        return now_ns - self.stamp_ns


class StreamBuffer:
    """Samples ordered by stamp; late arrivals are put where they belong."""

    def __init__(self) -> None:
        self._stamps: list[int] = []
        self._samples: list[Sample] = []

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def first(self) -> Sample | None:
        """The oldest sample that is still kept."""
        return self._samples[0] if self._samples else None

    @property
    def newest(self) -> Sample | None:
        """The sample with the latest stamp."""
        return self._samples[-1] if self._samples else None

    def push(self, sample: Sample) -> None:
        """Add a sample; of two with the same stamp the later push counts."""
        at = bisect.bisect_right(self._stamps, sample.stamp_ns)
        self._stamps.insert(at, sample.stamp_ns)
        self._samples.insert(at, sample)

    def at(self, time_ns: int) -> Sample | None:
        """Return the newest sample with stamp <= `time_ns`, or None."""
        index = bisect.bisect_right(self._stamps, time_ns) - 1
        return self._samples[index] if index >= 0 else None

    def forget_before(self, time_ns: int) -> None:
        """Drop what no lookup at or after `time_ns` can return."""
        index = bisect.bisect_right(self._stamps, time_ns) - 1
        if index > 0:
            del self._stamps[:index]
            del self._samples[:index]
