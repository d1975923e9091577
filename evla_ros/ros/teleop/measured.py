# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether what is measured of a part is there, fresh and believed, in words for the operator."""

from __future__ import annotations

from evla_ros.control.pose_guard import PoseGuard


class Measured:
    """The measurements of one arm, the base or an axis."""

    def __init__(self, words: str, guard: PoseGuard, max_age_s: float) -> None:
        """words: such as `pose of arm 0`; guard: judges them."""
        self._words, self._guard = words, guard
        self._max_age_ns = round(max_age_s * 1e9)
        self._heard_ns: int | None = None
        self._refused: tuple[int, str] | None = None

    def heard(self, now_ns: int) -> None:
        """Take that a measurement was believed."""
        self._heard_ns, self._refused = now_ns, None

    def refused(self, now_ns: int, problem: str) -> None:
        """Take why a message is of no use."""
        self._refused = (now_ns, problem)

    def problem(self, now_ns: int) -> str:
        """Return why nobody can drive by them now, '' when somebody can."""
        refusal = self._guard.refusal(now_ns)
        if refusal is not None:
            return refusal.text
        if self._heard_ns is None or now_ns - self._heard_ns > self._max_age_ns:
            known = self._refused is not None and now_ns - self._refused[0] <= self._max_age_ns
            why = f": it {self._refused[1]}" if known and self._refused is not None else ""
            return f"no fresh {self._words}{why}"
        if not self._guard.confirmed:
            return f"the {self._words} is new and not confirmed yet"
        return ""
