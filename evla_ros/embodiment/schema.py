# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The schema of an embodiment file (pydantic models, extra keys forbidden, immutable once loaded).

The field descriptions here are the reference page: `docs/embodiment.md` is generated from them.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from evla_ros.embodiment.fields import (
    Age,
    Corner,
    Count,
    Frame,
    Identifier,
    Number,
    Topic,
    unique,
)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Camera(_Section):
    """One image stream."""

    topic: Topic = Field(
        description="sensor_msgs/Image, or CompressedImage when transport is compressed"
    )
    transport: Literal["raw", "compressed"] = Field(
        "raw", description="which of the two messages the topic carries"
    )
    max_age_s: Age = Field(0.5, description="an image older than this stops motion [s]")


class Instruction(_Section):
    """Where the task in words comes from."""

    topic: Topic = Field("instruction", description="std_msgs/String, transient local")


class Estop(_Section):
    """The stop button as a topic; it adds to the hardware one and never replaces it."""

    topic: Topic = Field(
        "estop", description="std_msgs/Bool, true = stop; latched until ~/reset_estop"
    )


class PoseSource(_Section):
    """Where the measured end-effector pose comes from: a topic, or two TF frames."""

    topic: Topic | None = Field(None, description="geometry_msgs/PoseStamped, tool in base_frame")
    tf: list[Frame] | None = Field(
        None, min_length=2, max_length=2, description="[base frame, tool frame] to look up in TF"
    )
    max_age_s: Age = Field(0.2, description="a pose older than this stops motion [s]")

    @model_validator(mode="after")
    def _one_source(self) -> PoseSource:
        if (self.topic is None) == (self.tf is None):
            raise ValueError("takes exactly one of 'topic' and 'tf'")
        return self


class Goal(_Section):
    """Where pose goals go, and how their consumer wants them."""

    topic: Topic = Field(
        description="geometry_msgs/PoseStamped in base_frame, stamped at publication"
    )
    executor: Literal["plain", "cartesian_controllers", "crisp", "servo"] = Field(
        "plain",
        description="profile of the consumer; servo = MoveIt Servo with its command-type handshake",
    )


class Gripper(_Section):
    """A gripper of one degree of freedom; an action's 1 is `open`, its 0 is `closed`."""

    command: Topic = Field(description="topic of the command")
    command_type: Literal["float64", "float64_array"] = Field(
        "float64", description="std_msgs/Float64, or Float64MultiArray with one number"
    )
    state: Topic = Field(description="topic of the measured opening")
    state_type: Literal["float64", "joint_state"] = Field(
        "float64", description="std_msgs/Float64, or sensor_msgs/JointState read at state_joint"
    )
    state_joint: str | None = Field(None, min_length=1, description="joint name in the JointState")
    open: Number = Field(description="the device's value when open (its unit)")
    closed: Number = Field(description="the device's value when closed (its unit)")
    max_age_s: Age = Field(0.5, description="a state older than this stops motion [s]")

    @model_validator(mode="after")
    def _consistent(self) -> Gripper:
        if self.open == self.closed:
            raise ValueError(f"'open' and 'closed' are both {self.open}; they must differ")
        if (self.state_joint is not None) != (self.state_type == "joint_state"):
            raise ValueError("'state_joint' goes with state_type: joint_state, and only with it")
        return self

    def opening(self, device_value: float) -> float:
        """Return the device's value as an opening in [0, 1], 1 = open."""
        return min(1.0, max(0.0, (device_value - self.closed) / (self.open - self.closed)))

    def device_value(self, opening: float) -> float:
        """Return the device's value for an opening in [0, 1]."""
        return self.closed + min(1.0, max(0.0, opening)) * (self.open - self.closed)


class Limits(_Section):
    """What no goal ever exceeds; a node's parameters may tighten these, never loosen them."""

    workspace_min_m: Corner = Field(description="lowest x y z of the tool in base_frame [m]")
    workspace_max_m: Corner = Field(description="highest x y z of the tool in base_frame [m]")
    max_speed_m_s: Number = Field(gt=0, le=2.0, description="of the goal [m/s]")
    max_rotation_rad_s: Number = Field(gt=0, le=2 * math.pi, description="of the goal [rad/s]")
    max_acceleration_m_s2: Number = Field(2.0, gt=0, le=20.0, description="of the goal [m/s^2]")
    max_angular_acceleration_rad_s2: Number = Field(
        6.0, gt=0, le=60.0, description="of the goal [rad/s^2]"
    )
    max_step_m: Number = Field(gt=0, le=0.5, description="longest translation of one action [m]")
    max_step_rad: Number = Field(
        gt=0, le=math.pi / 2, description="largest rotation of one action [rad]"
    )

    @model_validator(mode="after")
    def _box_has_inside(self) -> Limits:
        for axis, low, high in zip("xyz", self.workspace_min_m, self.workspace_max_m, strict=True):
            if not low < high:
                raise ValueError(
                    f"workspace_min_m {low} is not below workspace_max_m {high} in {axis}"
                )
            if high - low > 10.0:
                raise ValueError(f"the workspace is {high - low:g} m long in {axis}; at most 10 m")
        return self


class Arm(_Section):
    """One arm: 7 numbers of every action, in file order."""

    name: Identifier = Field(description="prefix of the arm's columns in datasets")
    pose: PoseSource = Field(description="measured tool pose")
    goal: Goal = Field(description="commanded tool pose")
    gripper: Gripper | None = Field(
        None, description="leave out for a tool without one; its action number is then ignored"
    )
    joints: list[str] = Field(
        default_factory=list, description="joint names in joint_states, for proprio joint_positions"
    )
    limits: Limits = Field(description="what no goal ever exceeds")


class Action(_Section):
    """What one action means."""

    space: Literal["ee_delta"] = Field(
        "ee_delta", description="per arm dx dy dz droll dpitch dyaw gripper in base_frame"
    )
    chunk: Count = Field(ge=1, le=64, description="K, actions predicted at once")
    source: Literal["commanded", "achieved"] = Field(
        "commanded", description="which poses the converter takes deltas of"
    )


ProprioEntry = Literal["ee_pose", "gripper", "joint_positions"]


class Embodiment(_Section):
    """One robot, for policy, recorder, converter, trainer and console alike."""

    name: Identifier = Field(description="also the dataset's name")
    description: str = Field("", description="for people; does not enter the hash")
    base_frame: Frame = Field(description="frame of every pose, goal, delta and limit")
    rate_hz: Number = Field(
        gt=0, le=60.0, description="actions per second = steps per second of the dataset [Hz]"
    )
    goal_rate_hz: Number = Field(
        50.0, ge=20.0, le=500.0, description="goals published per second [Hz]"
    )
    cameras: dict[Identifier, Camera] = Field(
        min_length=1, description="by name; 'primary' is required, any number beside it"
    )
    instruction: Instruction = Field(
        default=Instruction(topic="instruction"), description="the task in words"
    )
    estop: Estop = Field(default=Estop(topic="estop"), description="stop button as a topic")
    joint_states: Topic = Field("joint_states", description="sensor_msgs/JointState")
    arms: list[Arm] = Field(min_length=1, description="one or more")
    action: Action = Field(description="what one action means")
    proprio: list[ProprioEntry] = Field(
        default_factory=list, description="what the policy reads of itself, in this order"
    )

    _text: str = PrivateAttr(default="")

    @property
    def text(self) -> str:
        """The file as it was read, for embedding in bags, datasets and checkpoints."""
        return self._text

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of the content; comments, order of keys and `description` do not count."""
        content = self.model_dump(mode="json", exclude={"description"})
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def with_text(self, text: str) -> Embodiment:
        """Return this embodiment remembering the text it was read from."""
        self._text = text
        return self

    def arm(self, name: str) -> Arm:
        """Return the arm of that name; raises KeyError."""
        return {arm.name: arm for arm in self.arms}[name]

    @model_validator(mode="after")
    def _consistent(self) -> Embodiment:
        if "primary" not in self.cameras:
            raise ValueError(f"cameras needs one named 'primary'; it has {', '.join(self.cameras)}")
        if self.goal_rate_hz < self.rate_hz:
            raise ValueError(
                f"goal_rate_hz {self.goal_rate_hz:g} is below rate_hz {self.rate_hz:g}"
            )
        unique("camera topic", [camera.topic for camera in self.cameras.values()])
        unique("arm name", [arm.name for arm in self.arms])
        unique("goal topic", [arm.goal.topic for arm in self.arms])
        unique("pose topic", [arm.pose.topic for arm in self.arms if arm.pose.topic])
        unique("gripper command", [arm.gripper.command for arm in self.arms if arm.gripper])
        unique("proprio entry", list(self.proprio))
        self._arms_fit_rate_and_proprio()
        return self

    def _arms_fit_rate_and_proprio(self) -> None:
        for index, arm in enumerate(self.arms):
            limits, where = arm.limits, f"arms[{index}]"
            for step, speed, names in (
                (limits.max_step_m, limits.max_speed_m_s, "max_step_m max_speed_m_s"),
                (limits.max_step_rad, limits.max_rotation_rad_s, "max_step_rad max_rotation_rad_s"),
            ):
                step_name, speed_name = names.split()
                if step * self.rate_hz > speed * (1 + 1e-9):
                    raise ValueError(
                        f"{where}.limits.{step_name} {step:g} at rate_hz {self.rate_hz:g} needs "
                        f"{step * self.rate_hz:g} per second, above {speed_name} {speed:g}"
                    )
            if "joint_positions" in self.proprio and not arm.joints:
                raise ValueError(f"{where}.joints is empty but proprio lists 'joint_positions'")
            unique(f"{where} joint", arm.joints)
