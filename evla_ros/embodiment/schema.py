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

from pydantic import (
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from evla_ros.embodiment.fields import (
    Age,
    Corner,
    Count,
    Frame,
    Identifier,
    Number,
    Section,
    Topic,
    unique,
)
from evla_ros.embodiment.moving_parts import Axis, Base, check_shared_commands
from evla_ros.embodiment.recorded import Recorded, check_recorded


class Camera(Section):
    """One image stream."""

    topic: Topic = Field(
        description="sensor_msgs/Image, or CompressedImage when transport is compressed"
    )
    transport: Literal["raw", "compressed"] = Field(
        "raw", description="which of the two messages the topic carries"
    )
    max_age_s: Age = Field(0.5, description="an image older than this stops motion [s]")


class Instruction(Section):
    """Where the task in words comes from."""

    topic: Topic = Field("instruction", description="std_msgs/String, transient local")


class Estop(Section):
    """The stop button as a topic; it adds to the hardware one and never replaces it."""

    topic: Topic = Field(
        "estop", description="std_msgs/Bool, true = stop; latched until ~/reset_estop"
    )
    heartbeat_s: Age | None = Field(
        None,
        description="longest silence of the button that is no stop [s]; left out: it may be silent",
    )

    @model_serializer(mode="wrap")
    def _without_absent(self, plain: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what the file leaves out: it enters no hash."""
        return {name: value for name, value in plain(self).items() if value is not None}


class PoseSource(Section):
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


class Goal(Section):
    """Where pose goals go, and how their consumer wants them."""

    topic: Topic = Field(
        description="geometry_msgs/PoseStamped in base_frame, stamped at publication; of a "
        "cartesian_trajectory trajectory_msgs/MultiDOFJointTrajectory"
    )
    executor: Literal[
        "plain", "cartesian_controllers", "crisp", "servo", "cartesian_trajectory"
    ] = Field(
        "plain",
        description="profile of the consumer; servo = MoveIt Servo with its command-type "
        "handshake; cartesian_trajectory = ros2_controllers' cartesian_trajectory_controller, "
        "which takes the whole chunk at once",
    )


ARM_NUMBERS = ("dx", "dy", "dz", "droll", "dpitch", "dyaw", "gripper")
_MOVES_A_JOINT = ("joint_trajectory", "parallel_gripper_action")
_WITH_JOINT_NAMES = ("joint_state",)  # state types that hold many joints: one has to be named


class Gripper(Section):
    """A gripper of one degree of freedom; an action's 1 is `open`, its 0 is `closed`."""

    command: Topic = Field(description="topic of the command, or name of the action")
    command_type: Literal[
        "float64", "float64_array", "joint_trajectory", "gripper_action", "parallel_gripper_action"
    ] = Field(
        "float64",
        description="std_msgs/Float64, or Float64MultiArray with one number, or "
        "trajectory_msgs/JointTrajectory for command_joint; control_msgs actions: GripperCommand, "
        "or ParallelGripperCommand for command_joint",
    )
    command_joint: str | None = Field(
        None, min_length=1, description="joint that a trajectory or a parallel gripper moves"
    )
    max_effort: Number | None = Field(
        None, gt=0, description="of an action's goal [N or Nm]; left out: the device's own"
    )
    state: Topic | None = Field(
        None,
        description="topic of the measured opening; left out: what the command's action reports",
    )
    state_type: Literal["float64", "joint_state", "action"] = Field(
        "float64",
        description="std_msgs/Float64, or sensor_msgs/JointState read at state_joint; action: the "
        "feedback and result of the command's action, and no topic",
    )
    state_joint: str | None = Field(None, min_length=1, description="joint name in the JointState")
    state_joints: list[str] = Field(
        default_factory=list,
        description="instead of state_joint: several fingers, whose mean position is the state",
    )
    open: Number = Field(description="the device's value when open (its unit)")
    closed: Number = Field(description="the device's value when closed (its unit)")
    state_open: Number | None = Field(
        None, description="the state's value when open, where its unit is not the command's"
    )
    state_closed: Number | None = Field(None, description="the state's value when closed")
    max_age_s: Age = Field(0.5, description="a state older than this stops motion [s]")

    @model_serializer(mode="wrap")
    def _without_absent(self, plain: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what the file leaves out: it enters no hash."""
        values: dict[str, object] = plain(self)
        optional = (
            *("state", "state_open", "state_closed", "command_joint", "max_effort"),
            "state_joints",
        )
        return {n: v for n, v in values.items() if v not in (None, []) or n not in optional}

    @model_validator(mode="after")
    def _consistent(self) -> Gripper:
        if self.open == self.closed:
            raise ValueError(f"'open' and 'closed' are both {self.open}; they must differ")
        if (self.state_open is None) != (self.state_closed is None):
            raise ValueError("'state_open' and 'state_closed' go together")
        if self.state_open is not None and self.state_open == self.state_closed:
            raise ValueError(f"'state_open' and 'state_closed' are both {self.state_open}")
        self._state_from_somewhere()
        self._joints_where_needed()
        return self

    @property
    def reports_by_action(self) -> bool:
        """Whether its state is what its action reports, not a topic of its own."""
        return self.state is None

    def _state_from_somewhere(self) -> None:
        if self.state is not None:
            if self.state_type == "action":
                raise ValueError(
                    f"'state' {self.state!r} has no effect with state_type: action; leave one out"
                )
            return
        if not self.command_type.endswith("_action"):
            raise ValueError(
                f"'state' is missing: a command_type {self.command_type} reports nothing"
            )
        if self.state_type == "joint_state":
            raise ValueError("'state' is missing: the topic of the JointState")

    def _joints_where_needed(self) -> None:
        named = [name for name in ("state_joint", "state_joints") if getattr(self, name)]
        if len(named) > 1:
            raise ValueError("takes 'state_joint' or 'state_joints', not both")
        if len(named) != (self.state_type in _WITH_JOINT_NAMES):
            raise ValueError("'state_joint' goes with state_type: joint_state, and only with it")
        unique("state joint", self.state_joints)
        if (self.command_joint is not None) != (self.command_type in _MOVES_A_JOINT):
            types = " or ".join(_MOVES_A_JOINT)
            raise ValueError(f"'command_joint' goes with command_type: {types}, and only with them")
        if self.max_effort is not None and not self.command_type.endswith("_action"):
            raise ValueError("'max_effort' has no effect: the command is no action")

    @property
    def state_ends(self) -> tuple[float, float]:
        """The state's values when closed and when open."""
        if self.state_open is None or self.state_closed is None:
            return self.closed, self.open
        return self.state_closed, self.state_open

    def opening(self, command: float) -> float:
        """Return the device's value of a command as an opening in [0, 1], 1 = open."""
        return _between(command, self.closed, self.open)

    def measured_opening(self, state: float) -> float:
        """Return the device's value of a state as an opening in [0, 1], 1 = open."""
        return _between(state, *self.state_ends)

    def device_value(self, opening: float) -> float:
        """Return the device's value of a command for an opening in [0, 1]."""
        return self.closed + min(1.0, max(0.0, opening)) * (self.open - self.closed)

    def state_value(self, opening: float) -> float:
        """Return the device's value of a state for an opening in [0, 1]."""
        closed, opened = self.state_ends
        return closed + min(1.0, max(0.0, opening)) * (opened - closed)


def _between(value: float, closed: float, opened: float) -> float:
    return min(1.0, max(0.0, (value - closed) / (opened - closed)))


class Limits(Section):
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


class Arm(Section):
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


class Action(Section):
    """What one action means."""

    space: Literal["ee_delta"] = Field(
        "ee_delta",
        description="per arm dx dy dz droll dpitch dyaw gripper in base_frame; then vx vy wz of "
        "the base, then one position per axis",
    )
    chunk: Count = Field(ge=1, le=64, description="K, actions predicted at once")
    source: Literal["commanded", "achieved"] = Field(
        "commanded", description="which poses the converter takes deltas of"
    )


# A checkpoint fits a robot whatever these say; comments and the order of keys do not count either.
NOT_IN_HASH = ("description", "record")

ProprioEntry = Literal[
    "ee_pose", "gripper", "joint_positions", "base_velocity", "base_pose", "axes"
]
_NEEDS = {"base_velocity": "base", "base_pose": "base", "axes": "axes"}


class Embodiment(Section):
    """One robot, for policy, recorder, converter, trainer and console alike."""

    name: Identifier = Field(description="also the dataset's name")
    description: str = Field("", description="for people; does not enter the hash")
    base_frame: Frame = Field(description="frame of every pose, goal, delta and limit")
    rate_hz: Number = Field(
        gt=0, le=100.0, description="actions per second = steps per second of the dataset [Hz]"
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
    estop: Estop = Field(
        default=Estop(topic="estop", heartbeat_s=None), description="stop button as a topic"
    )
    joint_states: Topic = Field("joint_states", description="sensor_msgs/JointState")
    arms: list[Arm] = Field(min_length=1, description="one or more")
    base: Base | None = Field(None, description="a mobile base; left out: the robot has none")
    axes: list[Axis] = Field(
        default_factory=list, description="single joints: lift, torso, head; any number"
    )
    action: Action = Field(description="what one action means")
    proprio: list[ProprioEntry] = Field(
        default_factory=list, description="what the policy reads of itself, in this order"
    )
    record: list[Recorded] = Field(
        default_factory=list,
        description="topics that are recorded and no input, such as a wrench, an IMU, depth: a "
        "topic alone, or a section; does not enter the hash",
    )

    _text: str = PrivateAttr(default="")

    @model_serializer(mode="wrap")
    def _without_absent(self, plain: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out the parts that the robot does not have: they enter no hash."""
        absent: dict[str, object] = {"base": None, "axes": [], "record": []}
        return {
            name: value
            for name, value in plain(self).items()
            if name not in absent or value != absent[name]
        }

    @property
    def text(self) -> str:
        """The file as it was read, for embedding in bags, datasets and checkpoints."""
        return self._text

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of what the policy sees and does; see `NOT_IN_HASH`."""
        content = self.model_dump(mode="json", exclude=set(NOT_IN_HASH))
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
        self._moving_parts_fit()
        check_recorded(self.record)
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

    def _moving_parts_fit(self) -> None:
        parts = [arm.name for arm in self.arms] + (["base"] if self.base else [])
        unique("name", [*parts, *(axis.name for axis in self.axes)])
        taken = {f"{arm.name}_{number}" for arm in self.arms for number in ARM_NUMBERS}
        taken |= {"base_vx", "base_vy", "base_wz"} if self.base else set()
        for index, axis in enumerate(self.axes):
            if axis.name in taken:
                raise ValueError(f"axes[{index}].name {axis.name!r} is another action number's")
        check_shared_commands(self.axes)
        unique("axis state", [f"{axis.state} {axis.joint or ''}".strip() for axis in self.axes])
        for entry in self.proprio:
            part = _NEEDS.get(entry)
            if part is not None and not getattr(self, part):
                raise ValueError(f"proprio lists {entry!r} but the file has no '{part}'")
