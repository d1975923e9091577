# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read and write positions of single joints (lift, torso, head) in their messages.

Axes that share a command topic are written together, as their controller wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from evla_ros.data.bags import encode
from evla_ros.data.messages import (
    decode_float64,
    decode_float64_array,
    decode_joint_state,
    decode_joint_trajectory,
)
from evla_ros.embodiment.streams import (
    FLOAT64,
    FLOAT64_ARRAY,
    JOINT_STATE,
    JOINT_TRAJECTORY,
    Stream,
)
from evla_ros.errors import EvlaError
from evla_ros.units import SECOND_NS


class AxisMessageError(EvlaError):
    """A message that does not hold one position for each axis of its topic."""


class AxisMessage(NamedTuple):
    """What a state or command says of one axis.

    Attributes:
        stamp_ns: Header stamp of a state [ns]; 0 where the message has none.
        position: In metres or radians; None where the message is about other joints.
    """

    stamp_ns: int
    position: float | None


class _Form(NamedTuple):
    decode: Callable[[bytes, Stream], AxisMessage]
    encode: Callable[[int, Sequence[Stream], Sequence[float], float], bytes]
    fields: Callable[[Sequence[Stream], Sequence[float], float], dict[str, Any]]


def axis_from_cdr(stream: Stream, data: bytes) -> AxisMessage:
    """Return what a raw state or command says of an axis.

    Raises:
        CdrError: The bytes do not fit the message type.
        AxisMessageError: An array of another length than the topic has axes.
    """
    return _FORMS[stream.type].decode(data, stream)


def position_from_cdr(stream: Stream, data: bytes) -> float:
    """Return the position in a raw state or command, NaN where it has none for this axis."""
    position = axis_from_cdr(stream, data).position
    return float("nan") if position is None else position


def axes_to_cdr(
    streams: Sequence[Stream], stamp_ns: int, positions: Sequence[float], duration_s: float = 0.0
) -> bytes:
    """Return one state or command for all axes of a topic as CDR.

    Args:
        streams: Of the axes, all of one topic, in the order of the file.
        stamp_ns: Of the header, where a state has one [ns].
        positions: One per stream [m or rad].
        duration_s: Within which a trajectory gets there [s].
    """
    return _FORMS[streams[0].type].encode(stamp_ns, streams, positions, duration_s)


def axes_fields(
    streams: Sequence[Stream], positions: Sequence[float], duration_s: float = 0.0
) -> dict[str, Any]:
    """Return the fields of one state or command for all axes of a topic; as `axes_to_cdr`."""
    return _FORMS[streams[0].type].fields(streams, positions, duration_s)


def _from_joint_state(data: bytes, stream: Stream) -> AxisMessage:
    state = decode_joint_state(data)
    pairs = zip(state.names, state.position.tolist(), strict=False)  # positions may be left out
    position = next((value for name, value in pairs if name == stream.selector[0]), None)
    return AxisMessage(state.header.stamp_ns, position)


def _from_trajectory(data: bytes, stream: Stream) -> AxisMessage:
    message = decode_joint_trajectory(data)
    pairs = zip(message.joint_names, message.last_positions.tolist(), strict=False)
    position = next((value for name, value in pairs if name == stream.selector[0]), None)
    return AxisMessage(0, position)


def _from_array(data: bytes, stream: Stream) -> AxisMessage:
    place, length = (int(number) for number in stream.selector)
    values = decode_float64_array(data).tolist()
    if len(values) != length:
        raise AxisMessageError(
            f"{stream.key}: an array of {len(values)} numbers, the file has {length} axes there"
        )
    return AxisMessage(0, values[place])


def _joints(streams: Sequence[Stream]) -> list[str]:
    return [stream.selector[0] for stream in streams]


def _trajectory_fields(
    streams: Sequence[Stream], positions: Sequence[float], duration_s: float
) -> dict[str, Any]:
    seconds, rest = divmod(round(duration_s * SECOND_NS), SECOND_NS)
    duration = {"sec": seconds, "nanosec": rest}
    point = {"positions": _floats(positions), "time_from_start": duration}
    return {"joint_names": _joints(streams), "points": [point]}


def _floats(positions: Sequence[float]) -> list[float]:
    return [float(number) for number in np.asarray(positions, np.float64)]


_FORMS = {
    FLOAT64: _Form(
        lambda data, _: AxisMessage(0, decode_float64(data)),
        lambda _, __, positions, ___: encode.encode_float64(positions[0]),
        lambda _, positions, __: {"data": float(positions[0])},
    ),
    FLOAT64_ARRAY: _Form(
        _from_array,
        lambda _, __, positions, ___: encode.encode_float64_array(positions),
        lambda _, positions, __: {"data": _floats(positions)},
    ),
    JOINT_STATE: _Form(
        _from_joint_state,
        lambda stamp, streams, positions, _: encode.encode_joint_state(
            stamp, _joints(streams), positions
        ),
        lambda streams, positions, _: {"name": _joints(streams), "position": _floats(positions)},
    ),
    JOINT_TRAJECTORY: _Form(
        _from_trajectory,
        lambda _, streams, positions, duration_s: encode.encode_joint_trajectory(
            _joints(streams), positions, duration_s
        ),
        _trajectory_fields,
    ),
}
