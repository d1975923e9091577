# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was seen of numbers: their ranges, and how an arm's pose moved."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from evla_ros.units import SECOND_NS

Array = npt.NDArray[np.float64]


@dataclass
class Span:
    """The range of one number; `broken` counts those that are not finite."""

    low: float = math.inf
    high: float = -math.inf
    count: int = 0
    broken: int = 0

    def add(self, value: float) -> None:
        """Take a number."""
        if not math.isfinite(value):
            self.broken += 1
            return
        self.low, self.high = min(self.low, value), max(self.high, value)
        self.count += 1

    @property
    def width(self) -> float:
        """High minus low; 0 before two different numbers."""
        return self.high - self.low if self.count else 0.0

    def __str__(self) -> str:
        """Return `0.1 .. 0.4`."""
        return f"{self.low:.4g} .. {self.high:.4g}" if self.count else "nothing"


@dataclass
class PoseTrace:
    """Where a pose was: its box, its fastest motion, and what is wrong with its quaternions.

    Attributes:
        position_m: ranges of x, y and z, as they were sent.
        norm: range of the quaternions' lengths.
        speed_m_s: the fastest motion over at least a tenth of a second.
        count: poses.
    """

    position_m: tuple[Span, Span, Span] = field(default_factory=lambda: (Span(), Span(), Span()))
    norm: Span = field(default_factory=Span)
    speed_m_s: float = 0.0
    count: int = 0
    _before: tuple[int, Array] | None = None

    def add(self, time_ns: int, position: Array, quaternion: Array) -> None:
        """Take a pose; time_ns: its stamp, or its arrival where it has none."""
        self.count += 1
        for span, value in zip(self.position_m, position.tolist(), strict=True):
            span.add(value)
        self.norm.add(float(np.linalg.norm(quaternion)))
        if not np.isfinite(position).all():
            return
        if self._before is None:
            self._before = time_ns, position
        elif time_ns - self._before[0] >= SECOND_NS // 10:
            seconds = (time_ns - self._before[0]) / SECOND_NS
            self.speed_m_s = max(
                self.speed_m_s, float(np.linalg.norm(position - self._before[1])) / seconds
            )
            self._before = time_ns, position

    @property
    def moved(self) -> bool:
        """Whether it went anywhere: a centimetre along some axis."""
        return any(span.width > 0.01 for span in self.position_m)

    @property
    def farthest(self) -> float:
        """The largest coordinate without its sign."""
        ends = [abs(v) for s in self.position_m if s.count for v in (s.low, s.high)]
        return max(ends, default=0.0)
