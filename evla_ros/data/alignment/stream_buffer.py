# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recent samples of one stream, and the newest one at or before a given time."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StampedSample:
    """One sample of a stream.

    Attributes:
        stamp_ns: When it was captured or, without a header, received [ns].
        receive_ns: When it was received [ns].
        payload: The message as it came.
    """

    stamp_ns: int
    receive_ns: int
    payload: Any

    def age_ns(self, now_ns: int) -> int:
        """Return how old the sample is at `now_ns` [ns]."""
        return now_ns - self.stamp_ns


class StreamBuffer:
    """The samples of one stream, ordered by stamp even when they arrive out of order."""

    def __init__(self) -> None:
        self._stamps: list[int] = []
        self._samples: list[StampedSample] = []

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def first(self) -> StampedSample | None:
        """The oldest sample that is still kept."""
        return self._samples[0] if self._samples else None

    @property
    def newest(self) -> StampedSample | None:
        """The sample with the latest stamp."""
        return self._samples[-1] if self._samples else None

    def push(self, sample: StampedSample) -> None:
        """Add a sample; of two with the same stamp the later push is used."""
        at = bisect.bisect_right(self._stamps, sample.stamp_ns)
        self._stamps.insert(at, sample.stamp_ns)
        self._samples.insert(at, sample)

    def at(self, time_ns: int) -> StampedSample | None:
        """Return the newest sample with a stamp at or before `time_ns`, or None."""
        index = bisect.bisect_right(self._stamps, time_ns) - 1
        return self._samples[index] if index >= 0 else None

    def forget_before(self, time_ns: int) -> None:
        """Drop the samples that no lookup at or after `time_ns` can return."""
        index = bisect.bisect_right(self._stamps, time_ns) - 1
        if index > 0:
            del self._stamps[:index]
            del self._samples[:index]
