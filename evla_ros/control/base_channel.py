# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The mobile base: which odometry is believed, and the velocity that follows a policy or brakes."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from evla_ros.control.guard_words import OdometryWords
from evla_ros.control.limited_velocity import LimitedVelocity, Velocity
from evla_ros.control.limits.moving_parts import BaseLimitValues
from evla_ros.control.pose_guard import PoseGuard, PoseRules
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.tick_clock import Elapsed
from evla_ros.embodiment import Base
from evla_ros.geometry import Pose

_REST: Velocity = np.zeros(3)
_SPEED_FACTOR = 1.5  # a measured velocity this much above the limits, plus a margin, is no motion
_SPEED_MARGIN = np.array([0.3, 0.3, 0.6])


class BaseChannel:
    """State of the base between ticks."""

    name = "base"

    def __init__(self, base: Base, values: BaseLimitValues, settings: ControlSettings) -> None:
        """Start without odometry and silent; `values` may be tighter than the file's."""
        self.guard = odometry_guard(base, settings)
        self._most = fastest_believed(BaseLimitValues.of(base))
        self.measured: Velocity | None = None
        self.clips: Counter[Reason] = Counter()
        self.last_clips: tuple[Reason, ...] = ()
        self._command = LimitedVelocity(values)
        self._band_m_s, self._band_rad_s = base.dead_band_m_s, base.dead_band_rad_s

    def set_limits(self, values: BaseLimitValues) -> None:
        """Use these limits from the next tick on."""
        self._command.set_limits(values)

    @property
    def values(self) -> BaseLimitValues:
        """The limits in force."""
        return self._command.values

    # -- how it moves --

    def note_odometry(self, stamp_ns: int, pose: Pose, velocity: Velocity, now_ns: int) -> bool:
        """Take odometry; returns whether it is believed and newer than the last one.

        Args:
            stamp_ns: Its own time on the node's clock.
            pose: Of the base in the odometry's frame.
            velocity: [3] measured vx vy wz, finite.
            now_ns: Its arrival.
        """
        believed = bool(self.guard.note(stamp_ns, now_ns, pose))
        if believed:
            self.measured = velocity
        return believed

    def speed_problem(self, velocity: Velocity) -> str:
        """Return what is wrong with a measured velocity, '' when the base can have it."""
        return speed_problem(velocity, self._most)

    def findings(self, now_ns: int) -> list[Finding]:
        """Return what about the odometry forbids motion."""
        refusal = self.guard.refusal(now_ns)
        return [] if refusal is None else [refusal]

    def clock_jumped(self) -> None:
        """Forget every time."""
        self.guard.clock_jumped()

    # -- how it shall move --

    @property
    def velocity(self) -> Velocity | None:
        """The velocity sent last; None after silence."""
        return self._command.velocity

    @property
    def held(self) -> bool:
        """Whether it is told to stand still, or nothing is sent."""
        return self._command.at_rest

    def forget(self) -> None:
        """Fall silent: another may drive."""
        self._command.begin(None)
        self.last_clips = ()

    def follow(self, desired: Velocity, elapsed: Elapsed) -> Velocity:
        """Return the velocity nearest to the desired one that the limits allow.

        One within the dead band counts as zero.
        """
        velocity = self._command.step(self._without_creeping(desired), elapsed)
        self.last_clips = self._command.clips if elapsed.dt_s > 0.0 else self.last_clips
        if elapsed.dt_s > 0.0:
            self.clips.update(self.last_clips)
        return velocity

    def _without_creeping(self, desired: Velocity) -> Velocity:
        meant: Velocity = desired.copy()
        if math.hypot(*desired[:2]) <= self._band_m_s:
            meant[:2] = 0.0
        if abs(desired[2]) <= self._band_rad_s:
            meant[2] = 0.0
        return meant

    def hold(self, elapsed: Elapsed) -> Velocity:
        """Return the velocity of a stop: it brakes to zero within the limits and stays there."""
        self.last_clips = ()
        return self._command.step(_REST, elapsed)


def odometry_guard(base: Base, settings: ControlSettings) -> PoseGuard:
    """Return what judges the base's odometry as measured poses of an arm are judged."""
    limits = BaseLimitValues.of(base)
    most = fastest_believed(limits)
    rules = PoseRules(
        float(max(most[0], most[1])),
        float(most[2]),
        settings.pose_jump_margin_m,
        settings.pose_jump_margin_rad,
        round(settings.pose_confirm_s * 1e9),
        round(base.max_age_s * 1e9),
        round(settings.max_stamp_skew_s * 1e9),
    )
    return PoseGuard("base", rules, OdometryWords())


def fastest_believed(limits: BaseLimitValues) -> Velocity:
    """Return the largest measured vx vy wz [3] that is believed, in either direction."""
    most = [limits.max_speed_m_s, limits.max_lateral_m_s, limits.max_rotation_rad_s]
    return np.asarray(_SPEED_FACTOR * np.array(most) + _SPEED_MARGIN)


def speed_problem(velocity: Velocity, most: Velocity) -> str:
    """Return what is wrong with a measured velocity, '' when nothing is."""
    for name, unit, number, limit in zip(
        ("vx", "vy", "wz"), ("m/s", "m/s", "rad/s"), velocity, most, strict=True
    ):
        if abs(number) > limit:
            return f"{name} {number:.3g} {unit}, far above base.limits"
    return ""
