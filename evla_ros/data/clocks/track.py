# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The times of one stream's messages, and which of its stamps fit no other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.units import SECOND_NS

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
LATE_NS = SECOND_NS // 2  # a single stamp this much older than its neighbours is none of theirs
EARLY_NS = SECOND_NS // 10  # a single stamp this much newer, which no delay explains
FEW = 5  # so many messages in a row may be odd
MOST_ODD = 0.25  # above this share they are no exceptions


@dataclass(frozen=True)
class Track:
    """The messages of one stream in the order in which they were recorded.

    Attributes:
        number: [N] place of each message in the recording.
        receive_ns: [N] when the recorder received it [ns].
        stamp_ns: [N] its header stamp [ns].
    """

    number: IntArray
    receive_ns: IntArray
    stamp_ns: IntArray

    def __len__(self) -> int:
        return len(self.number)

    @property
    def delay_ns(self) -> IntArray:
        """[N] receive time minus stamp [ns]."""
        return self.receive_ns - self.stamp_ns

    def where(self, mask: BoolArray) -> Track:
        """Return the messages for which `mask` [N] is True."""
        return Track(self.number[mask], self.receive_ns[mask], self.stamp_ns[mask])

    def between(self, first: int, stop: int) -> Track:
        """Return the messages with numbers from `first` up to, but not including, `stop`."""
        return self.where((self.number >= first) & (self.number < stop))


def odd_stamps(track: Track) -> BoolArray:
    """Return [N], True for a few stamps that contradict those before and after them.

    Such as latched messages from before the recording, or one that somebody stamped wrongly. A
    message that was merely delayed is none: its stamp lies between those of its neighbours.
    """
    odd = np.zeros(len(track), dtype=np.bool_)
    if len(track) <= FEW:
        return odd
    delay = track.delay_ns - int(track.delay_ns.min())  # small enough to be exact as floats
    usual = int(np.median(np.abs(np.diff(delay))))
    apart = delay - local_median(delay)
    away = (apart > max(LATE_NS, 6 * usual)) | (apart < -max(EARLY_NS, 6 * usual))
    edges = np.flatnonzero(np.diff([False, *away.tolist(), False]))
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if stop - start <= FEW and _contradicts(track.stamp_ns, start, stop):
            odd[start:stop] = True
    return odd if odd.mean() <= MOST_ODD else np.zeros_like(odd)


def local_median(values: IntArray) -> IntArray:
    """Return [N] the median of each value and the few before and after it."""
    reach = min(FEW, len(values) - 1)
    padded = np.pad(values, reach, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    middle: IntArray = np.asarray(np.median(windows, axis=1), dtype=np.int64)
    return middle


def _contradicts(stamp: IntArray, start: int, stop: int) -> bool:
    """Return whether the stamps of a few messages do not fit between those around them."""
    few = stamp[start:stop]
    if start and stop < len(stamp):
        return not bool((stamp[start - 1] < few.min()) and (few.max() < stamp[stop]))
    gap = stamp[stop] - few[-1] if stop < len(stamp) else few[0] - stamp[start - 1]
    return abs(int(gap)) > 3 * max(int(np.median(np.abs(np.diff(stamp)))), 1)
