# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read and write a gripper's device value in the messages of its state and its command.

Messages are CDR for bags and raw subscriptions, and plain fields for a node that publishes. The
embodiment says what the value means (its unit, open and closed): see `Gripper.opening`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from evla_ros.data.bags import encode
from evla_ros.data.cdr import CdrError
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.messages import (
    JointState,
    decode_float64,
    decode_float64_array,
    decode_gripper_feedback,
    decode_joint_state,
    decode_joint_trajectory,
    decode_parallel_gripper_feedback,
)
from evla_ros.embodiment.streams import (
    FLOAT64,
    FLOAT64_ARRAY,
    GRIPPER_FEEDBACK,
    JOINT_STATE,
    JOINT_TRAJECTORY,
    PARALLEL_GRIPPER_FEEDBACK,
    Stream,
)
from evla_ros.units import SECOND_NS

TRAJECTORY_S = 0.5  # within which a trajectory moves the fingers


class GripperMessage(NamedTuple):
    """The content of a gripper's message.

    Attributes:
        stamp_ns: Header stamp [ns]; 0 where the message has no header.
        values: The device values. Empty for a JointState about other joints; more than one only
            when the message is not for this gripper.
    """

    stamp_ns: int
    values: tuple[float, ...]


class _Form(NamedTuple):
    decode: Callable[[bytes, Stream], GripperMessage]
    encode: Callable[[int, Stream, float], bytes]
    fields: Callable[[Stream, float], dict[str, Any]]


def _from_joint_state(data: bytes, stream: Stream) -> GripperMessage:
    return _in_joints(decode_joint_state(data), stream)


def _in_joints(state: JointState, stream: Stream) -> GripperMessage:
    pairs = zip(state.names, state.position.tolist(), strict=False)  # positions may be left out
    found = dict(reversed(list(pairs)))  # of a name that is there twice the first one counts
    fingers = [found[name] for name in stream.selector if name in found]
    if len(fingers) < len(stream.selector):
        return GripperMessage(state.header.stamp_ns, ())
    return GripperMessage(state.header.stamp_ns, (sum(fingers) / len(fingers),))


def _from_trajectory(data: bytes, stream: Stream) -> GripperMessage:
    message = decode_joint_trajectory(data)
    pairs = zip(message.joint_names, message.last_positions.tolist(), strict=False)
    return GripperMessage(0, tuple(value for name, value in pairs if name == stream.selector[0]))


def _trajectory(stream: Stream, value: float) -> dict[str, Any]:
    nanoseconds = round(TRAJECTORY_S * SECOND_NS)
    point = {"positions": [value], "time_from_start": {"sec": 0, "nanosec": nanoseconds}}
    return {"joint_names": list(stream.selector), "points": [point]}


_FORMS = {
    FLOAT64: _Form(
        lambda data, _: GripperMessage(0, (decode_float64(data),)),
        lambda _, __, value: encode.encode_float64(value),
        lambda _, value: {"data": value},
    ),
    FLOAT64_ARRAY: _Form(
        lambda data, _: GripperMessage(0, tuple(decode_float64_array(data).tolist())),
        lambda _, __, value: encode.encode_float64_array([value]),
        lambda _, value: {"data": [value]},
    ),
    JOINT_STATE: _Form(
        _from_joint_state,
        lambda stamp, stream, value: encode.encode_joint_state(
            stamp, stream.selector, [value] * len(stream.selector)
        ),
        lambda stream, value: {
            "name": list(stream.selector),
            "position": [value] * len(stream.selector),
        },
    ),
    GRIPPER_FEEDBACK: _Form(
        lambda data, _: GripperMessage(0, (decode_gripper_feedback(data),)),
        lambda _, __, value: encode.encode_gripper_feedback(value),
        lambda _, value: {"feedback": {"position": value}},
    ),
    PARALLEL_GRIPPER_FEEDBACK: _Form(
        lambda data, stream: _in_joints(decode_parallel_gripper_feedback(data), stream),
        lambda stamp, stream, value: encode.encode_parallel_gripper_feedback(
            stamp, stream.selector, [value]
        ),
        lambda stream, value: {
            "feedback": {"state": {"name": list(stream.selector), "position": [value]}}
        },
    ),
    JOINT_TRAJECTORY: _Form(
        _from_trajectory,
        lambda _, stream, value: encode.encode_joint_trajectory(
            stream.selector, [value], TRAJECTORY_S
        ),
        _trajectory,
    ),
}


def gripper_from_cdr(stream: Stream, data: bytes) -> GripperMessage:
    """Return the content of a raw state or command.

    Raises:
        CdrError: The bytes do not fit the message type.
    """
    return _FORMS[stream.type].decode(data, stream)


def gripper_value(stream: Stream, data: bytes) -> tuple[int, float | None]:
    """Return (header stamp [ns], device value) of a raw state or command.

    The stamp is 0 where the message has none. The value is None where a JointState is about other
    joints.

    Raises:
        BadSampleError: The message is cut off, does not hold exactly one number, or one that is not
            finite.
    """
    try:
        stamp_ns, values = gripper_from_cdr(stream, data)
    except CdrError as error:
        raise BadSampleError("message", str(error)) from error
    if not values and stream.type == JOINT_STATE:
        state = decode_joint_state(data)
        bare = [name for name in stream.selector if name in state.names[len(state.position) :]]
        if bare:
            raise BadSampleError("message", f"joint {bare[0]!r} has no position")
        return stamp_ns, None
    if len(values) != 1:
        raise BadSampleError("message", f"holds {len(values)} numbers; a gripper takes one")
    if not math.isfinite(values[0]):
        raise BadSampleError("finite", f"the gripper's value {values[0]} is not finite")
    return stamp_ns, values[0]


def gripper_to_cdr(stream: Stream, stamp_ns: int, value: float) -> bytes:
    """Return a state or command with this device value as CDR."""
    return _FORMS[stream.type].encode(stamp_ns, stream, value)


def gripper_fields(stream: Stream, value: float) -> dict[str, Any]:
    """Return the fields of a state or command with this device value, to build a message from."""
    return _FORMS[stream.type].fields(stream, value)
