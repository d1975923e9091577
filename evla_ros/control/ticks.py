# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the control core says at one time: what every part is told, and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from evla_ros.control.reasons import Finding
from evla_ros.geometry import Pose, Way


@dataclass(frozen=True, eq=False)
class ArmTick:
    """What one arm is told.

    Attributes:
        goal: Pose to publish, in the base frame; None for silence.
        opening: Gripper command [0, 1], 1 open; None for silence.
        way: For an arm that is told whole ways (`Goal.executor` cartesian_trajectory): the way to
            publish, through the limits of the arm; empty while the last one still stands.
    """

    goal: Pose | None
    opening: float | None = None
    way: Way = ()


class Told(NamedTuple):
    """What every part of the robot is told.

    Attributes:
        arms: One entry per arm.
        base: Velocity vx vy [m/s] wz [rad/s]; None for silence, and for a robot without a base.
        axes: Position of each axis [m or rad]; None for silence.
    """

    arms: tuple[ArmTick, ...]
    base: tuple[float, float, float] | None = None
    axes: tuple[float | None, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether nothing is sent at all."""
        still = self.base is None and all(axis is None for axis in self.axes)
        return still and all(arm.goal is None for arm in self.arms)


@dataclass(frozen=True, eq=False)
class Tick:
    """What to publish now, and why."""

    now_ns: int
    finding: Finding
    told: Told
    moving: bool = False

    @property
    def arms(self) -> tuple[ArmTick, ...]:
        """What each arm is told."""
        return self.told.arms


@dataclass(frozen=True)
class LastStop:
    """The last time that motion ended for good, and why."""

    finding: Finding
    stamp_ns: int
