# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The measured poses of the last seconds, to look up where an arm was when an image was taken."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

from evla_ros.geometry import Pose, interpolate


class PoseHistory:
    """Poses by time, oldest first; stamps strictly increase."""

    def __init__(self, span_ns: int = 5_000_000_000, capacity: int = 5000) -> None:
        """Keep at most `span_ns` of time and `capacity` poses."""
        self._span_ns = span_ns
        self._stamps: deque[int] = deque(maxlen=capacity)
        self._poses: deque[Pose] = deque(maxlen=capacity)

    def __len__(self) -> int:
        """Poses held."""
        return len(self._stamps)

    def add(self, stamp_ns: int, pose: Pose) -> bool:
        """Append a pose; False (and nothing stored) when it is not newer than the newest."""
        if self._stamps and stamp_ns <= self._stamps[-1]:
            return False
        self._stamps.append(stamp_ns)
        self._poses.append(pose)
        while self._stamps[0] < stamp_ns - self._span_ns:
            self._stamps.popleft()
            self._poses.popleft()
        return True

    def clear(self) -> None:
        """Forget everything; after a clock jump old stamps mean nothing."""
        self._stamps.clear()
        self._poses.clear()

    @property
    def latest(self) -> Pose | None:
        """The newest pose."""
        return self._poses[-1] if self._poses else None

    def at(self, stamp_ns: int, max_gap_ns: int) -> Pose | None:
        """Return the pose at that time, interpolated on SE(3) between its neighbours.

        After the newest pose (an image may be ahead of the poses) that one counts, up to
        `max_gap_ns`. None before the oldest pose, too far after the newest, or inside a gap longer
        than `max_gap_ns`.
        """
        if not self._stamps or stamp_ns < self._stamps[0]:
            return None
        after = bisect_right(self._stamps, stamp_ns)
        start_ns = self._stamps[after - 1]
        if after == len(self._stamps):
            return self._poses[-1] if stamp_ns - start_ns <= max_gap_ns else None
        gap_ns = self._stamps[after] - start_ns
        if gap_ns > max_gap_ns:
            return None
        return interpolate(
            self._poses[after - 1], self._poses[after], (stamp_ns - start_ns) / gap_ns
        )

    def latest_before(self, stamp_ns: int) -> Pose | None:
        """Return the newest pose not newer than `stamp_ns` (causal, as the converter takes it)."""
        after = bisect_right(self._stamps, stamp_ns)
        return self._poses[after - 1] if after else None
