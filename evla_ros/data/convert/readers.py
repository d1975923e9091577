# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode the messages of each stream as the live node does: one reader for each stream."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from evla_ros.data.alignment.observation import BaseState
from evla_ros.data.alignment.tf_poses import TfPoses
from evla_ros.data.cdr import CdrError
from evla_ros.data.codecs.axis import axis_from_cdr
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.base import (
    BaseMessageError,
    OdometrySample,
    odometry_from_cdr,
    velocity_from_cdr,
)
from evla_ros.data.codecs.goal import way_from_cdr
from evla_ros.data.codecs.gripper import gripper_value
from evla_ros.data.codecs.joints import JointPositions
from evla_ros.data.codecs.pose import pose_from_cdr
from evla_ros.data.messages import (
    HEADER_FIRST,
    decode_string,
    decode_tf_message,
    header_stamp_ns,
)
from evla_ros.embodiment import Embodiment, Gripper
from evla_ros.embodiment.streams import POSE_STAMPED, POSE_TRAJECTORY, TF_MESSAGE, Kind, Stream
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import GeometryError


class Reading(NamedTuple):
    """What a message says about its stream.

    Attributes:
        stamp_ns: Its header stamp [ns]; 0 where it has none.
        value: Poses and goals are `Pose` (a goal that is a whole way: a `Way`), grippers openings
            (0 closed to 1 open), joints positions by name, odometry a `BaseState`, a velocity
            command vx vy wz, an axis its position, the instruction a text. Pictures stay raw CDR.
    """

    stamp_ns: int
    value: Any


Reader = Callable[[bytes], Reading | None]


def reader_of(stream: Stream, embodiment: Embodiment, *, any_frame: bool = False) -> Reader:
    """Return a function that reads the raw messages of a stream, in the order in which they came.

    It returns None for a message that says nothing about the stream, and raises BadSampleError for
    one that is of no use.

    Args:
        stream: The stream.
        embodiment: The robot.
        any_frame: Take poses in whatever frame as if they were in the base frame.
    """
    kind = stream.key.kind
    if stream.type == POSE_STAMPED:
        frame = None if any_frame else embodiment.base_frame
        return lambda data: Reading(*pose_from_cdr(data, frame))
    if stream.type == POSE_TRAJECTORY:
        frame = None if any_frame else embodiment.base_frame
        return lambda data: Reading(*way_from_cdr(data, frame))
    if kind is Kind.INSTRUCTION:
        return _read_text
    if kind is Kind.JOINTS:
        return _joints_reader(embodiment)
    if kind in (Kind.GRIPPER, Kind.GRIPPER_COMMAND):
        gripper = embodiment.arm(stream.key.name).gripper
        return _read_stamp if gripper is None else GripperReader(stream, gripper)
    if kind in (Kind.AXIS, Kind.AXIS_COMMAND):
        return partial(_read_axis, stream)
    if kind in (Kind.ODOMETRY, Kind.BASE_COMMAND) and embodiment.base is not None:
        frame = None if any_frame else embodiment.base.frame
        return partial(_read_base, stream, frame)
    return _read_stamp if stream.type in HEADER_FIRST else _read_nothing


class TfReader:
    """Reads the pose of a stream that comes from transforms, moving and static ones."""

    def __init__(self, stream: Stream) -> None:
        """Follow the two frames that the stream names."""
        self.chain = TfPoses(*stream.selector)

    def read(self, data: bytes, *, static: bool) -> Reading | None:
        """Return the pose where the message changes it.

        Raises:
            BadSampleError: The message is cut off.
        """
        try:
            moved = self.chain.push(decode_tf_message(data), static=static)
        except CdrError as error:
            raise BadSampleError("message", str(error)) from error
        return None if moved is None else Reading(*moved)


def is_transformed(stream: Stream) -> bool:
    """Return whether a stream's values come from transforms."""
    return stream.type == TF_MESSAGE


def _read_nothing(data: bytes) -> Reading:
    return Reading(0, data)


def _read_stamp(data: bytes) -> Reading:
    try:
        return Reading(header_stamp_ns(data), data)
    except CdrError as error:
        raise BadSampleError("message", str(error)) from error


def _read_text(data: bytes) -> Reading:
    try:
        return Reading(0, decode_string(data))
    except CdrError as error:
        raise BadSampleError("message", str(error)) from error


def _joints_reader(embodiment: Embodiment) -> Reader:
    joints = JointPositions({name for arm in embodiment.arms for name in arm.joints})

    def read(data: bytes) -> Reading | None:
        found = joints.push(data)
        return None if found is None else Reading(found.stamp_ns, found.positions)

    return read


def _read_axis(stream: Stream, data: bytes) -> Reading | None:
    try:
        message = axis_from_cdr(stream, data)
    except EvlaError as error:
        raise BadSampleError("message", str(error)) from error
    if message.position is None:
        return None
    if not math.isfinite(message.position):
        raise BadSampleError("finite", f"the axis' position {message.position} is not finite")
    return Reading(message.stamp_ns, message.position)


def _read_base(stream: Stream, frame: str | None, data: bytes) -> Reading:
    """Read odometry or a velocity command; `frame` is the base's own, None takes any."""
    odometry = stream.key.kind is Kind.ODOMETRY
    try:
        message = odometry_from_cdr(data) if odometry else velocity_from_cdr(stream, data)
    except (BaseMessageError, GeometryError) as error:
        raise BadSampleError("finite", str(error)) from error
    except CdrError as error:
        raise BadSampleError("message", str(error)) from error
    if frame is not None and message.frame not in ("", frame):
        raise BadSampleError("frame", f"is in frame {message.frame!r}, base.frame is {frame!r}")
    if isinstance(message, OdometrySample):
        return Reading(message.stamp_ns, BaseState(message.pose, message.velocity))
    return Reading(message.stamp_ns, message.velocity)


@dataclass
class ValueRange:
    """The device values of a gripper's state or command.

    Attributes:
        low: The least.
        high: The greatest.
        count: Their number.
        outside: How many lie beyond closed or open by more than a tenth of the way between.
    """

    low: float = math.inf
    high: float = -math.inf
    count: int = 0
    outside: int = 0


class GripperReader:
    """Reads openings, and keeps the range of the device's values."""

    def __init__(self, stream: Stream, gripper: Gripper) -> None:
        """Read a state or a command."""
        self._stream = stream
        state = stream.key.kind is Kind.GRIPPER
        self._opening = gripper.measured_opening if state else gripper.opening
        closed, opened = gripper.state_ends if state else (gripper.closed, gripper.open)
        margin = 0.1 * abs(opened - closed)
        self._least, self._most = min(closed, opened) - margin, max(closed, opened) + margin
        self.range = ValueRange()

    def __call__(self, data: bytes) -> Reading | None:
        """Return the opening in a raw message."""
        stamp_ns, value = gripper_value(self._stream, data)
        if value is None:
            return None
        found = self.range
        found.low, found.high = min(found.low, value), max(found.high, value)
        found.count += 1
        found.outside += not self._least <= value <= self._most
        return Reading(stamp_ns, self._opening(value))
