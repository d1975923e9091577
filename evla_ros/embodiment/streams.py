# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one table of a robot's topics: what each carries, who needs it, and how it is delivered.

Nobody else derives a topic or a message type from an embodiment file. What the messages hold is
read and written by `evla_ros.data.codecs`, one file per kind of stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from evla_ros.embodiment.moving_parts import Axis, Base
from evla_ros.embodiment.recorded import Recorded
from evla_ros.embodiment.schema import Arm, Embodiment, Gripper, PoseSource

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
JOINT_STATE = "sensor_msgs/msg/JointState"
POSE_STAMPED = "geometry_msgs/msg/PoseStamped"
TF_MESSAGE = "tf2_msgs/msg/TFMessage"
TWIST = "geometry_msgs/msg/Twist"
TWIST_STAMPED = "geometry_msgs/msg/TwistStamped"
ODOMETRY = "nav_msgs/msg/Odometry"
POSE_TRAJECTORY = "trajectory_msgs/msg/MultiDOFJointTrajectory"
JOINT_TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"
FLOAT64 = "std_msgs/msg/Float64"
FLOAT64_ARRAY = "std_msgs/msg/Float64MultiArray"
GRIPPER_COMMAND_ACTION = "control_msgs/action/GripperCommand"
PARALLEL_GRIPPER_ACTION = "control_msgs/action/ParallelGripperCommand"
GRIPPER_FEEDBACK = f"{GRIPPER_COMMAND_ACTION}_FeedbackMessage"
PARALLEL_GRIPPER_FEEDBACK = f"{PARALLEL_GRIPPER_ACTION}_FeedbackMessage"
STRING = "std_msgs/msg/String"
BOOL = "std_msgs/msg/Bool"
ANY_TYPE = ""  # of what is only recorded: its publisher says

# The words of the embodiment file, and the message type that each means.
_CAMERA_TYPES = {"raw": IMAGE, "compressed": COMPRESSED_IMAGE}
_GRIPPER_STATE_TYPES = {"float64": FLOAT64, "joint_state": JOINT_STATE}
_GRIPPER_COMMAND_TYPES = {
    "float64": FLOAT64,
    "float64_array": FLOAT64_ARRAY,
    "joint_trajectory": JOINT_TRAJECTORY,
}
_GRIPPER_ACTIONS = {
    "gripper_action": GRIPPER_COMMAND_ACTION,
    "parallel_gripper_action": PARALLEL_GRIPPER_ACTION,
}
_GOAL_TYPES = {"cartesian_trajectory": POSE_TRAJECTORY}  # of every other executor POSE_STAMPED
_BASE_COMMAND_TYPES = {"twist": TWIST, "twist_stamped": TWIST_STAMPED}
_AXIS_STATE_TYPES = {"joint_state": JOINT_STATE, "float64": FLOAT64}
_AXIS_COMMAND_TYPES = {
    "joint_trajectory": JOINT_TRAJECTORY,
    "float64": FLOAT64,
    "float64_array": FLOAT64_ARRAY,
}

JOINTS_MAX_AGE_S = 0.5
UNREPORTED_OPENING = 1.0  # of a gripper whose action has not reported yet: open


class Kind(Enum):
    """What a stream carries; its value is the word that users read in reports."""

    CAMERA = "camera"
    POSE = "pose"
    GOAL = "goal"
    GRIPPER = "gripper"  # the measured opening
    GRIPPER_COMMAND = "gripper_command"
    ODOMETRY = "odometry"
    BASE_COMMAND = "base_command"
    AXIS = "axis"  # the measured position
    AXIS_COMMAND = "axis_command"
    JOINTS = "joints"
    INSTRUCTION = "instruction"
    ESTOP = "estop"
    TF_STATIC = "tf_static"
    EXTRA = "extra"  # recorded beside the inputs


class Direction(Enum):
    """Which way a stream goes, seen from the policy."""

    INPUT = "input"
    OUTPUT = "output"


class Role(Enum):
    """What a stream is for."""

    OBSERVATION = "observation"  # what the policy sees
    STATE = "state"  # what the robot measures of itself
    GOAL = "goal"  # where an arm is told to go
    COMMAND = "command"  # what another device of the robot is told
    CONTROL = "control"  # what a person says: the task, stop
    RECORD = "record"  # what nobody reads, but a bag keeps

    @property
    def direction(self) -> Direction:
        """OUTPUT for what the robot is told, INPUT for everything else."""
        told = self in (Role.GOAL, Role.COMMAND)
        return Direction.OUTPUT if told else Direction.INPUT


class Delivery(NamedTuple):
    """Quality of service at our end; latched: late joiners get the last value (transient local)."""

    reliable: bool
    latched: bool
    depth: int


NEWEST = Delivery(reliable=False, latched=False, depth=1)
EVERY_SAMPLE = Delivery(reliable=False, latched=False, depth=50)
COMMANDED = Delivery(reliable=True, latched=False, depth=1)
EVENT = Delivery(reliable=True, latched=False, depth=10)
LATCHED = Delivery(reliable=True, latched=True, depth=1)


class StreamKey(NamedTuple):
    """Names a stream; `name` is the camera's or the arm's, empty where a robot has one stream."""

    kind: Kind
    name: str = ""

    def __str__(self) -> str:
        """Return `camera:primary`, or `instruction` for a stream without a name."""
        return f"{self.kind.value}:{self.name}" if self.name else self.kind.value


@dataclass(frozen=True)
class Stream:
    """One row of the table.

    type: `sensor_msgs/msg/Image`. required: the policy and every episode need it. rate_hz: the
    lowest useful rate, 0 where none is expected. max_age_s: an older sample counts as none; None:
    any age will do. selector: which entries of the message are meant: the joint of a JointState,
    the base and tool frames of a TFMessage, the place in an array and its length; of what is only
    recorded, the kind of column that it becomes.
    """

    key: StreamKey
    topic: str
    type: str
    role: Role
    delivery: Delivery
    required: bool = False
    rate_hz: float = 0.0
    max_age_s: float | None = None
    selector: tuple[str, ...] = ()


class StreamTable:
    """The streams of one robot, in the order of its file; several may share a topic."""

    def __init__(self, streams: tuple[Stream, ...]) -> None:
        self._streams = {stream.key: stream for stream in streams}

    def __iter__(self) -> Iterator[Stream]:
        """Yield every stream."""
        return iter(self._streams.values())

    def find(self, kind: Kind, name: str = "") -> Stream | None:
        """Return a stream, or None where the robot has no such one."""
        return self._streams.get(StreamKey(kind, name))

    def get(self, kind: Kind, name: str = "") -> Stream:
        """Return a stream that the robot is known to have; raises KeyError."""
        return self._streams[StreamKey(kind, name)]

    def of_kind(self, kind: Kind) -> tuple[Stream, ...]:
        """Return the streams of a kind, in the order of the file."""
        return tuple(stream for stream in self if stream.key.kind is kind)

    def by_topic(self) -> dict[str, tuple[Stream, ...]]:
        """Return every topic once, with the streams that it carries."""
        return by_topic(self)


def by_topic(streams: Iterable[Stream]) -> dict[str, tuple[Stream, ...]]:
    """Return every topic of some streams once, with those that it carries."""
    topics: dict[str, tuple[Stream, ...]] = {}
    for stream in streams:
        topics[stream.topic] = (*topics.get(stream.topic, ()), stream)
    return topics


def streams_of(embodiment: Embodiment) -> StreamTable:
    """Return the table of a robot."""
    return StreamTable(tuple(_rows(embodiment)))


def _rows(embodiment: Embodiment) -> Iterator[Stream]:
    rate = embodiment.rate_hz
    for name, camera in embodiment.cameras.items():
        yield Stream(
            StreamKey(Kind.CAMERA, name), camera.topic, _CAMERA_TYPES[camera.transport],
            Role.OBSERVATION, NEWEST, required=True, rate_hz=rate, max_age_s=camera.max_age_s,
        )  # fmt: skip
    for arm in embodiment.arms:
        yield _pose(arm.name, arm.pose, rate)
        yield Stream(
            StreamKey(Kind.GOAL, arm.name), arm.goal.topic,
            _GOAL_TYPES.get(arm.goal.executor, POSE_STAMPED),
            Role.GOAL, COMMANDED, max_age_s=arm.pose.max_age_s,
        )  # fmt: skip
        yield from _gripper(arm, rate)
    if embodiment.base is not None:
        yield from _base(embodiment.base, rate)
    for axis in embodiment.axes:
        yield from _axis(axis, embodiment.axes, rate)
    joints = "joint_positions" in embodiment.proprio
    yield Stream(
        StreamKey(Kind.JOINTS), embodiment.joint_states, JOINT_STATE,
        Role.STATE, EVERY_SAMPLE, required=joints, rate_hz=rate if joints else 0.0,
        max_age_s=JOINTS_MAX_AGE_S,
    )  # fmt: skip
    instruction, estop = embodiment.instruction.topic, embodiment.estop.topic
    yield Stream(StreamKey(Kind.INSTRUCTION), instruction, STRING, Role.CONTROL, LATCHED)
    yield Stream(StreamKey(Kind.ESTOP), estop, BOOL, Role.CONTROL, EVENT)
    if any(arm.pose.tf for arm in embodiment.arms):
        delivery = LATCHED._replace(depth=100)
        yield Stream(StreamKey(Kind.TF_STATIC), "/tf_static", TF_MESSAGE, Role.STATE, delivery)
    yield from map(_recorded, embodiment.record)


def _recorded(one: Recorded) -> Stream:
    kept = one.column == "none"
    return Stream(
        StreamKey(Kind.EXTRA, one.key), one.topic, ANY_TYPE, Role.RECORD, EVERY_SAMPLE,
        rate_hz=0.0 if kept else 1.0 / one.max_age_s, max_age_s=None if kept else one.max_age_s,
        selector=(one.column,),
    )  # fmt: skip


def makes_column(stream: Stream) -> bool:
    """Return whether what is only recorded is to become a column of datasets, if it can."""
    return stream.key.kind is Kind.EXTRA and stream.selector != ("none",)


def _pose(arm: str, source: PoseSource, rate_hz: float) -> Stream:
    # /tf is absolute by convention: every robot's transforms lie there, whatever its namespace.
    return Stream(
        StreamKey(Kind.POSE, arm),
        source.topic or "/tf",
        POSE_STAMPED if source.topic else TF_MESSAGE,
        Role.STATE,
        EVERY_SAMPLE if source.topic else EVERY_SAMPLE._replace(depth=100),
        required=True,
        rate_hz=rate_hz,
        max_age_s=source.max_age_s,
        selector=tuple(source.tf or ()),
    )


def told_ways(arm: Arm) -> bool:
    """Return whether an arm's goals are whole ways (POSE_TRAJECTORY), not one pose at a time."""
    return arm.goal.executor in _GOAL_TYPES


def _gripper(arm: Arm, rate_hz: float) -> Iterator[Stream]:
    gripper = arm.gripper
    if gripper is None:
        return
    if gripper.state is None:
        yield _reported(arm.name, gripper)
        return
    yield Stream(
        StreamKey(Kind.GRIPPER, arm.name), gripper.state, _GRIPPER_STATE_TYPES[gripper.state_type],
        Role.STATE, EVERY_SAMPLE, required=True, rate_hz=rate_hz, max_age_s=gripper.max_age_s,
        selector=(gripper.state_joint,) if gripper.state_joint else tuple(gripper.state_joints),
    )  # fmt: skip
    if gripper.command_type in _GRIPPER_ACTIONS:
        return  # a goal is no message on a topic: see `gripper_action`
    yield Stream(
        StreamKey(Kind.GRIPPER_COMMAND, arm.name), gripper.command,
        _GRIPPER_COMMAND_TYPES[gripper.command_type], Role.COMMAND, COMMANDED,
        selector=(gripper.command_joint,) if gripper.command_joint else (),
    )  # fmt: skip


def _reported(arm: str, gripper: Gripper) -> Stream:
    """Return the row of a gripper whose action reports its state: the topic of its feedback.

    It is published while a goal is under way; in between the gripper stays as it was said to be,
    and before the first goal nobody knows: it counts as open.
    """
    kind = _GRIPPER_ACTIONS[gripper.command_type]
    return Stream(
        StreamKey(Kind.GRIPPER, arm), f"{gripper.command}/_action/feedback",
        f"{kind}_FeedbackMessage", Role.STATE, EVERY_SAMPLE,
        selector=(gripper.command_joint,) if gripper.command_joint else (),
    )  # fmt: skip


def is_reported(stream: Stream) -> bool:
    """Return whether a gripper's state is what its action reports: not all the time."""
    return stream.type in (GRIPPER_FEEDBACK, PARALLEL_GRIPPER_FEEDBACK)


def gripper_action(gripper: Gripper | None) -> str | None:
    """Return the type of the action that a gripper's goals go to, None where it has a topic."""
    return None if gripper is None else _GRIPPER_ACTIONS.get(gripper.command_type)


def action_goals(embodiment: Embodiment) -> tuple[Stream, ...]:
    """Return what goes to gripper actions in the form of rows: they are no topics of the table."""
    return tuple(
        Stream(
            StreamKey(Kind.GRIPPER_COMMAND, arm.name), arm.gripper.command,
            _GRIPPER_ACTIONS[arm.gripper.command_type], Role.COMMAND, COMMANDED,
        )
        for arm in embodiment.arms
        if arm.gripper is not None and gripper_action(arm.gripper)
    )  # fmt: skip


def gripper_actions(embodiment: Embodiment) -> tuple[str, ...]:
    """Return the names of the actions that grippers of a robot take."""
    grippers = (arm.gripper for arm in embodiment.arms)
    return tuple(one.command for one in grippers if one is not None and gripper_action(one))


def _base(base: Base, rate_hz: float) -> Iterator[Stream]:
    yield Stream(
        StreamKey(Kind.ODOMETRY), base.odometry, ODOMETRY,
        Role.STATE, EVERY_SAMPLE, required=True, rate_hz=rate_hz, max_age_s=base.max_age_s,
    )  # fmt: skip
    yield Stream(
        StreamKey(Kind.BASE_COMMAND), base.command, _BASE_COMMAND_TYPES[base.command_type],
        Role.COMMAND, COMMANDED, max_age_s=base.command_timeout_s,
    )  # fmt: skip


def _axis(axis: Axis, axes: list[Axis], rate_hz: float) -> Iterator[Stream]:
    state, command = _AXIS_STATE_TYPES[axis.state_type], _AXIS_COMMAND_TYPES[axis.command_type]
    joint = (axis.joint,) if axis.joint else ()
    yield Stream(
        StreamKey(Kind.AXIS, axis.name), axis.state, state,
        Role.STATE, EVERY_SAMPLE, required=True, rate_hz=rate_hz, max_age_s=axis.max_age_s,
        selector=joint if state == JOINT_STATE else (),
    )  # fmt: skip
    together = [other.name for other in axes if other.command == axis.command]
    places = {
        JOINT_TRAJECTORY: joint,
        FLOAT64_ARRAY: (str(together.index(axis.name)), str(len(together))),
    }
    yield Stream(
        StreamKey(Kind.AXIS_COMMAND, axis.name), axis.command, command,
        Role.COMMAND, COMMANDED, selector=places.get(command, ()),
    )  # fmt: skip
