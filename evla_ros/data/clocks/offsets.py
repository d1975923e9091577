# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the streams whose stamps are on another clock than those of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.data.clocks.track import Track
from evla_ros.units import SECOND_NS

WINDOW_NS = SECOND_NS
MOST_AHEAD_S = 0.1  # a message cannot arrive before it is sent; clocks may differ by so much
MOST_BEHIND_S = 0.5  # the longest delay that is believed; the recorder's check before a start too
STRAIGHT = 0.97  # correlation with time above which a changing offset is a clock's, not a delay
_LEAST_WINDOWS = 6

Windows = dict[int, float]  # number of the window -> median delay in it [s]


@dataclass(frozen=True)
class StreamClock:
    """How the stamps of one stream lie.

    Attributes:
        delay_s: Median of receive time minus stamp [s].
        offset_s: The same against the clock of the recording; negative when stamped ahead [s].
        drift_s: By how much the offset grows from the first to the last third [s].
        apart: Whether the stream is on another clock.
    """

    delay_s: float
    offset_s: float
    drift_s: float
    apart: bool

    def sentence(self, name: str) -> str:
        """Return what is wrong with the clock of a stream called `name`."""
        if abs(self.drift_s) > abs(self.offset_s):
            return (
                f"the clock of {name} runs {'slow' if self.drift_s > 0 else 'fast'}: its stamps "
                f"drift by {abs(self.drift_s):.2f} s against the other streams'"
            )
        where = "behind" if self.offset_s > 0 else "ahead of"
        return f"{name} is stamped {abs(self.offset_s):.2f} s {where} the other streams"


def stream_clocks(tracks: Mapping[str, Track]) -> dict[str, StreamClock]:
    """Return the clock of each stream.

    The streams that agree with the recorder's clock are right. Where none does (simulated time, a
    robot whose clock was never set), the largest group that agrees is.

    Args:
        tracks: The times of each stream, without odd stamps.
    """
    windows = {name: _windows(track) for name, track in tracks.items() if len(track)}
    if not windows:
        return {}
    delays = {n: float(np.median(list(found.values()))) for n, found in windows.items()}
    near = [n for n, d in delays.items() if -MOST_AHEAD_S <= d <= MOST_BEHIND_S]
    base: Windows = {}
    if not near:
        near = _largest_group(windows)
        base = windows[near[0]]
    relative = {name: _relative(found, base) for name, found in windows.items()}
    level = min(_middle(relative[name]) for name in near) if base else 0.0
    clocks = {}
    for name, found in relative.items():
        offset, drift = _middle(found) - level, _drift(found)
        apart = not -MOST_AHEAD_S <= offset <= MOST_BEHIND_S or abs(drift) > MOST_AHEAD_S
        clocks[name] = StreamClock(delays[name], offset, drift, apart and len(windows) > 1)
    return clocks


def _windows(track: Track) -> Windows:
    number = track.receive_ns // WINDOW_NS
    delay = track.delay_ns
    edges = np.flatnonzero(np.diff(number)) + 1
    parts = np.split(delay, edges)
    firsts = number[np.concatenate([[0], edges]).astype(np.int64)].tolist()
    found: dict[int, list[float]] = {}
    for first, part in zip(firsts, parts, strict=True):
        found.setdefault(first, []).append(float(np.median(part)) / SECOND_NS)
    return {first: float(np.median(values)) for first, values in found.items()}


def _relative(windows: Windows, base: Windows) -> Windows:
    """Return the delays without the base's in the same windows."""
    if not base:
        return windows
    both = windows.keys() & base.keys()
    if not both:
        return {w: d - _middle(base) for w, d in windows.items()}
    return {w: windows[w] - base[w] for w in sorted(both)}


def _middle(windows: Windows) -> float:
    return float(np.median(list(windows.values())))


def _drift(windows: Windows) -> float:
    """Return how far delays drift from the first to the last third [s]; 0 unless in a line."""
    if len(windows) < _LEAST_WINDOWS:
        return 0.0
    times = np.array(sorted(windows), dtype=np.float64)
    values: npt.NDArray[np.float64] = np.array([windows[int(w)] for w in times])
    third = len(values) // 3
    drift = float(np.median(values[-third:]) - np.median(values[:third]))
    if abs(drift) < 1e-3 or float(np.std(values)) == 0.0:
        return 0.0
    return drift if abs(float(np.corrcoef(times, values)[0, 1])) > STRAIGHT else 0.0


def _largest_group(windows: Mapping[str, Windows]) -> list[str]:
    """Return the names of the most streams that agree; of equal groups that of the first stream."""
    groups = []
    for name, base in windows.items():
        apart = {n: _middle(_relative(found, base)) for n, found in windows.items()}
        groups.append(
            [name, *(n for n, a in apart.items() if n != name and abs(a) <= MOST_BEHIND_S)]
        )
    return max(groups, key=len)
