# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conservative limits for a first motion: slow, and not far from where the arm was seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evla_ros.data.survey.values import PoseTrace

# Reduced speed near people: 250 mm/s at the tool (ISO 10218-1).
SPEED_M_S, ROTATION_RAD_S = 0.25, 0.8
ACCELERATION_M_S2, ANGULAR_ACCELERATION_RAD_S2 = 1.0, 4.0
_MARGIN_M, _AROUND_M = 0.05, 0.15
_NEAR_M = 0.3  # a goal farther from where the arm was is told in another frame, or by mistake


@dataclass(frozen=True)
class LimitsProposal:
    """Limits at a rate of actions; corners [m] in the base frame."""

    low_m: tuple[float, ...]
    high_m: tuple[float, ...]
    rate_hz: float
    note: str

    def lines(self) -> list[str]:
        """Return the keys of the section, without indentation."""
        step_m, step_rad = _floor(SPEED_M_S / self.rate_hz), _floor(ROTATION_RAD_S / self.rate_hz)
        return [
            f"workspace_min_m: [{', '.join(f'{v:.2f}' for v in self.low_m)}]    # {self.note}",
            f"workspace_max_m: [{', '.join(f'{v:.2f}' for v in self.high_m)}]",
            f"max_speed_m_s: {SPEED_M_S}",
            f"max_rotation_rad_s: {ROTATION_RAD_S}",
            f"max_acceleration_m_s2: {ACCELERATION_M_S2}",
            f"max_angular_acceleration_rad_s2: {ANGULAR_ACCELERATION_RAD_S2}",
            f"max_step_m: {step_m}    # of one action; no faster than the speed above",
            f"max_step_rad: {step_rad}",
        ]


def limits_for(trace: PoseTrace, rate_hz: float, goals: PoseTrace | None = None) -> LimitsProposal:
    """Return limits for an arm that was seen there, and told to go to these goals nearby."""
    margin, note = _MARGIN_M, f"CHECK: where it was seen, and {_MARGIN_M * 100:.0f} cm"
    if not trace.moved:
        margin, note = _AROUND_M, "CHECK: the arm stood still; this is around where it stood"
    if trace.speed_m_s > SPEED_M_S:
        note += f"; it was seen at {trace.speed_m_s:.2f} m/s, faster than the speed below"
    lows, highs = ([getattr(span, end) for span in trace.position_m] for end in ("low", "high"))
    if goals is not None and goals.count:
        told = goals.position_m
        ends = zip(lows, highs, told, strict=True)
        if all(a - _NEAR_M < s.low and s.high < b + _NEAR_M for a, b, s in ends):
            lows = [min(a, span.low) for a, span in zip(lows, told, strict=True)]
            highs = [max(b, span.high) for b, span in zip(highs, told, strict=True)]
            note += ", its goals included"
    low = tuple(math.floor((value - margin) * 100) / 100 for value in lows)
    high = tuple(math.ceil((value + margin) * 100) / 100 for value in highs)
    return LimitsProposal(low, high, rate_hz, note)


def _floor(value: float) -> float:
    return math.floor(value * 1e4 + 1e-6) / 1e4
