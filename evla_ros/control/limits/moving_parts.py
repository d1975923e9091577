# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers of the limits of a base and of axes; as those of arms, never loosened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from evla_ros.control.limits.values import LimitValues
from evla_ros.embodiment import Axis, Base, Embodiment
from evla_ros.errors import EvlaError, nearest

_BESIDE = 1.0  # the line of an axis lies in a box that is this wide around it
_NO_TURN_RAD_S = 1.0


@dataclass(frozen=True)
class BaseLimitValues:
    """Of a velocity command: m/s, rad/s, and their changes per second."""

    max_speed_m_s: float
    max_lateral_m_s: float
    max_rotation_rad_s: float
    max_acceleration_m_s2: float
    max_angular_acceleration_rad_s2: float

    @staticmethod
    def of(base: Base) -> BaseLimitValues:
        """Return the values of the embodiment file."""
        return BaseLimitValues(
            **{one.name: float(getattr(base.limits, one.name)) for one in fields(BaseLimitValues)}
        )

    def tightened(self, changes: Mapping[str, float]) -> BaseLimitValues:
        """Return these values with some lower; EvlaError for an unknown or a looser one."""
        for name, value in changes.items():
            if name not in {one.name for one in fields(self)}:
                raise EvlaError(
                    f"no limit {name!r}; {nearest(name, [one.name for one in fields(self)])}"
                )
            allowed = getattr(self, name)
            if not (0.0 < value <= allowed or value == allowed):
                raise _looser(name, value, allowed)
        return replace(self, **changes)


@dataclass(frozen=True)
class AxisLimitValues:
    """Of a position goal: its range [m or rad], speed per second, acceleration."""

    min: float
    max: float
    max_speed: float
    max_acceleration: float

    @staticmethod
    def of(axis: Axis) -> AxisLimitValues:
        """Return the values of the embodiment file."""
        values = axis.limits
        return AxisLimitValues(values.min, values.max, values.max_speed, values.max_acceleration)

    def tightened(self, changes: Mapping[str, float]) -> AxisLimitValues:
        """Return these values with some tighter; EvlaError for an unknown or a looser one."""
        names = [one.name for one in fields(self)]
        for name, value in changes.items():
            if name not in names:
                raise EvlaError(f"no limit {name!r}; {nearest(name, names)}")
            allowed = getattr(self, name)
            fits = value >= allowed if name == "min" else value <= allowed
            if not fits or (name.startswith("max_") and value <= 0.0):
                raise _looser(name, value, allowed)
        result = replace(self, **changes)
        if not result.min < result.max:
            raise EvlaError(f"min {result.min:g} is not below max {result.max:g}")
        return result

    def on_a_line(self) -> LimitValues:
        """Return them as those of an arm whose tool moves along x and cannot turn."""
        return LimitValues(
            workspace_min_m=(self.min, -_BESIDE, -_BESIDE),
            workspace_max_m=(self.max, _BESIDE, _BESIDE),
            max_speed_m_s=self.max_speed,
            max_rotation_rad_s=_NO_TURN_RAD_S,
            max_acceleration_m_s2=self.max_acceleration,
            max_angular_acceleration_rad_s2=_NO_TURN_RAD_S,
            max_step_m=self.max - self.min,
            max_step_rad=_NO_TURN_RAD_S,
        )


class RobotLimits(NamedTuple):
    """The limits of everything that moves, each part in the order of the file."""

    arms: Sequence[LimitValues]
    base: BaseLimitValues | None = None
    axes: Sequence[AxisLimitValues] = ()

    @staticmethod
    def of(embodiment: Embodiment) -> RobotLimits:
        """Return the limits of the embodiment file."""
        base = embodiment.base
        return RobotLimits(
            tuple(LimitValues.of(arm.limits) for arm in embodiment.arms),
            None if base is None else BaseLimitValues.of(base),
            tuple(AxisLimitValues.of(axis) for axis in embodiment.axes),
        )


def _looser(name: str, value: float, allowed: float) -> EvlaError:
    return EvlaError(
        f"{name} {value} is outside what the embodiment file allows ({allowed}); "
        "limits may only be tightened at run time"
    )
