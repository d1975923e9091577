# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A single joint under control: an arm whose tool moves along a line.

Its position is the x of a pose that never turns (`axis_pose`), in its own unit. So a lift obeys the
same rules as an arm: what is measured is doubted, goals brake before the ends of the range, a stop
is the measured position.
"""

from __future__ import annotations

from dataclasses import replace

from evla_ros.control.arm_channel import ArmChannel
from evla_ros.control.guard_words import AxisWords
from evla_ros.control.limits.moving_parts import AxisLimitValues
from evla_ros.control.pose_guard import PoseGuard, PoseRules
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import Axis


def axis_channel(axis: Axis, values: AxisLimitValues, settings: ControlSettings) -> ArmChannel:
    """Return the channel of an axis; its poses are those of `axis_pose`."""
    own = axis_settings(axis, settings)
    return ArmChannel(axis.name, values.on_a_line(), own, axis_guard(axis, settings))


def axis_guard(axis: Axis, settings: ControlSettings) -> PoseGuard:
    """Return what judges the measured positions of an axis, by the limits of the file."""
    values = AxisLimitValues.of(axis).on_a_line()
    rules = PoseRules.of(values, axis_settings(axis, settings), axis.max_age_s)
    return PoseGuard(axis.name, rules, AxisWords(axis.unit))


def axis_settings(axis: Axis, settings: ControlSettings) -> ControlSettings:
    """Return the settings with the distances of an axis: those for angles where it turns."""
    if axis.unit == "m":
        return settings
    return replace(
        settings,
        max_tracking_error_m=settings.max_tracking_error_rad,
        pose_jump_margin_m=settings.pose_jump_margin_rad,
    )
