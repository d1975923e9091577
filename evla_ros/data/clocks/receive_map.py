# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Place receive times on the clock of the header stamps, for messages that have no header."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.data.clocks.track import IntArray, Track
from evla_ros.units import SECOND_NS

WINDOW_NS = SECOND_NS // 2
SAME_NS = SECOND_NS // 20  # offsets that differ by less are delays, not clocks
_SMOOTH = 3


@dataclass(frozen=True)
class ReceiveMap:
    """A piecewise linear map from receive times to the clock of the stamps.

    Attributes:
        receive_ns: [K] receive times [ns], increasing.
        stamp_ns: [K] the stamps that belong to them [ns].
        rate: How fast the stamps run against the receive times; 1 for one constant offset.
    """

    receive_ns: IntArray
    stamp_ns: IntArray
    rate: float = 1.0

    def stamp_of(self, receive_ns: int) -> int:
        """Return the time on the stamps' clock at a receive time [ns]."""
        if len(self.receive_ns) == 1:
            return receive_ns - int(self.receive_ns[0] - self.stamp_ns[0])
        at = int(
            np.clip(np.searchsorted(self.receive_ns, receive_ns) - 1, 0, len(self.receive_ns) - 2)
        )
        start, base = int(self.receive_ns[at]), int(self.stamp_ns[at])
        slope = (int(self.stamp_ns[at + 1]) - base) / (int(self.receive_ns[at + 1]) - start)
        outside = receive_ns < start or receive_ns > int(self.receive_ns[-1])
        if receive_ns > int(self.receive_ns[-1]):
            start, base = int(self.receive_ns[-1]), int(self.stamp_ns[-1])
        return base + round((receive_ns - start) * (self.rate if outside else slope))


SAME_CLOCK = ReceiveMap(np.zeros(1, np.int64), np.zeros(1, np.int64))


def receive_map(tracks: Iterable[Track]) -> ReceiveMap:
    """Return the map that streams of one clock show.

    In every half second the message with the least delay tells how the clocks lie. Where that
    changes by less than 50 ms over the recording one offset serves; below 50 ms it counts as none,
    because it is the delay of the fastest stream.

    Args:
        tracks: The times of the streams, without odd stamps and without steps.
    """
    receive, stamp = _least_delays(tracks)
    if not len(receive):
        return SAME_CLOCK
    delay = _smooth(receive - stamp)
    if int(delay.max() - delay.min()) <= SAME_NS:
        offset = int(delay.min())
        if abs(offset) <= SAME_NS:
            return SAME_CLOCK
        return ReceiveMap(np.array([offset]), np.zeros(1, np.int64))
    keep = np.concatenate([[True], np.diff(np.maximum.accumulate(stamp)) > 0])
    receive, stamp = receive[keep], stamp[keep]
    if len(receive) < 2:
        return ReceiveMap(receive, stamp)
    return ReceiveMap(receive, stamp, (int(stamp[-1] - stamp[0])) / int(receive[-1] - receive[0]))


def _least_delays(tracks: Iterable[Track]) -> tuple[IntArray, IntArray]:
    """Return receive time and stamp of the message with the least delay of every window."""
    best: dict[int, tuple[int, int, int]] = {}
    for track in tracks:
        delay = track.delay_ns
        window = track.receive_ns // WINDOW_NS
        order = np.lexsort((track.receive_ns, delay, window))
        _, firsts = np.unique(window[order], return_index=True)
        for at in order[firsts].tolist():
            found = (int(delay[at]), int(track.receive_ns[at]), int(track.stamp_ns[at]))
            key = int(window[at])
            best[key] = min(best.get(key, found), found)
    pairs = [best[key][1:] for key in sorted(best)]
    array: npt.NDArray[np.int64] = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def _smooth(delay: IntArray) -> IntArray:
    """Return the median over three neighbours, so that a single stall is no other clock."""
    if len(delay) < _SMOOTH:
        return delay
    least = delay.min()  # the rest is small enough to be exact in floating point
    padded = np.pad(delay - least, 1, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SMOOTH)
    middle: IntArray = np.asarray(np.median(windows, axis=1), dtype=np.int64)
    return middle + int(least)
