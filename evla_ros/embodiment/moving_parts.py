# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sections of an embodiment file for what moves beside arms: a mobile base, single joints."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from evla_ros.embodiment.fields import Age, Frame, Identifier, Number, Section, Topic

DEAD_BAND_M_S, DEAD_BAND_RAD_S = 0.005, 0.01


class BaseLimits(Section):
    """What no velocity command of the base ever exceeds."""

    max_speed_m_s: Number = Field(gt=0, le=3.0, description="forwards and backwards [m/s]")
    max_lateral_m_s: Number = Field(
        0.0, ge=0, le=3.0, description="sideways [m/s]; 0: a base that cannot, vy is clipped to 0"
    )
    max_rotation_rad_s: Number = Field(gt=0, le=2 * math.pi, description="[rad/s]")
    max_acceleration_m_s2: Number = Field(
        1.0, gt=0, le=10.0, description="of the command, braking for a stop too [m/s^2]"
    )
    max_angular_acceleration_rad_s2: Number = Field(
        2.0, gt=0, le=30.0, description="of the command, braking for a stop too [rad/s^2]"
    )


class Base(Section):
    """A mobile base: 3 numbers of every action, vx vy wz in its own frame."""

    command: Topic = Field(description="topic of the velocity command")
    command_type: Literal["twist", "twist_stamped"] = Field(
        "twist", description="geometry_msgs/Twist, or TwistStamped in `frame`"
    )
    odometry: Topic = Field(description="nav_msgs/Odometry, its twist in `frame`")
    frame: Frame = Field(
        "base_link", description="the base's own frame: child_frame_id of the odometry"
    )
    max_age_s: Age = Field(0.2, description="odometry older than this stops motion [s]")
    command_timeout_s: Age = Field(
        0.5,
        description="the base must stop when its newest command is this old [s]; in a bag an older "
        "command counts as standing still",
    )
    dead_band_m_s: Number = Field(
        DEAD_BAND_M_S,
        ge=0,
        le=0.1,
        description="a policy that asks for no more speed over ground than this asks for none: it "
        "means to stand still and shall not creep [m/s]",
    )
    dead_band_rad_s: Number = Field(
        DEAD_BAND_RAD_S, ge=0, le=0.2, description="the same for the rotation [rad/s]"
    )
    limits: BaseLimits = Field(description="what no velocity command ever exceeds")

    @model_serializer(mode="wrap")
    def _without_defaults(self, plain: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out dead bands that are the usual ones: files from before they were keep hashes."""
        usual = {"dead_band_m_s": DEAD_BAND_M_S, "dead_band_rad_s": DEAD_BAND_RAD_S}
        return {n: v for n, v in plain(self).items() if n not in usual or v != usual[n]}

    @model_validator(mode="after")
    def _band_within_limits(self) -> Base:
        for band, most, names in (
            (self.dead_band_m_s, self.limits.max_speed_m_s, "dead_band_m_s max_speed_m_s"),
            (
                self.dead_band_rad_s,
                self.limits.max_rotation_rad_s,
                "dead_band_rad_s max_rotation_rad_s",
            ),
        ):
            if band >= most:
                name, limit = names.split()
                raise ValueError(
                    f"{name} {band:g} is not below limits.{limit} {most:g}: the base would never "
                    "move"
                )
        return self


class AxisLimits(Section):
    """What no position goal of a single joint ever exceeds, in the joint's unit."""

    min: Number = Field(description="lowest position")
    max: Number = Field(description="highest position")
    max_speed: Number = Field(gt=0, le=10.0, description="of the goal, per second")
    max_acceleration: Number = Field(gt=0, le=100.0, description="of the goal, per second squared")

    @model_validator(mode="after")
    def _range_has_inside(self) -> AxisLimits:
        if not self.min < self.max:
            raise ValueError(f"min {self.min:g} is not below max {self.max:g}")
        return self


class Axis(Section):
    """A single joint, such as a lift or a head: 1 number of every action, an absolute position."""

    name: Identifier = Field(description="name of its column in datasets")
    unit: Literal["m", "rad"] = Field(description="of its position")
    command: Topic = Field(
        description="topic of the position goal; axes that share one are sent together, in the "
        "order of the file"
    )
    command_type: Literal["joint_trajectory", "float64", "float64_array"] = Field(
        "joint_trajectory",
        description="trajectory_msgs/JointTrajectory for `joint`, std_msgs/Float64, or "
        "Float64MultiArray with one number for each axis of the topic",
    )
    state: Topic = Field("joint_states", description="topic of the measured position")
    state_type: Literal["joint_state", "float64"] = Field(
        "joint_state", description="sensor_msgs/JointState read at `joint`, or std_msgs/Float64"
    )
    joint: str | None = Field(
        None, min_length=1, description="joint name in JointState and JointTrajectory"
    )
    max_age_s: Age = Field(0.5, description="a position older than this stops motion [s]")
    limits: AxisLimits = Field(description="what no position goal ever exceeds")

    @model_validator(mode="after")
    def _joint_where_needed(self) -> Axis:
        named = self.command_type == "joint_trajectory" or self.state_type == "joint_state"
        if named and self.joint is None:
            raise ValueError("'joint' is missing: command or state names the joint in its message")
        if not named and self.joint is not None:
            raise ValueError("'joint' has no effect: neither command nor state names joints")
        return self


def check_shared_commands(axes: list[Axis]) -> None:
    """Check axes that share a command topic; ValueError when one message cannot hold them."""
    for axis in axes:
        others = [other for other in axes if other.command == axis.command]
        types = {other.command_type for other in others}
        if len(types) > 1:
            raise ValueError(f"axes on {axis.command!r} have different command_types")
        if len(others) > 1 and types == {"float64"}:
            raise ValueError(
                f"{len(others)} axes share the command {axis.command!r}, but a float64 holds one "
                "number; give each its own topic, or use float64_array"
            )
